/** Makes the built-in transports known to this process. */
import { provideBroker } from '../core/launch/thread.ts';
import { registerStores } from '../core/store/stores.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { inline } from './inline.ts';
import { nats, natsStores } from './nats/index.ts';
import { socket } from './socket.ts';
import { brokerPort, thread } from './thread.ts';
import { tls } from './tls.ts';
import { ws } from './ws.ts';

registerTransport(inline());
registerTransport(thread());
registerTransport(socket());
registerTransport(tls());
registerTransport(ws());
registerTransport(nats());
registerStores('nats', natsStores);
provideBroker(brokerPort);
