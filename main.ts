/** tutti: interactive parallel and distributed computing. Registers what is built in, and exports the public surface. */
import './paradigms/builtin.ts';
import './transports/builtin.ts';

export * from './core/index.ts';
export { natsStores } from './transports/nats/index.ts';
export { streamConnection } from './transports/stream-link.ts';
