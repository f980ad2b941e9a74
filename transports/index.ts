export { inline } from './inline.ts';
export { nats } from './nats/index.ts';
export { socket } from './socket.ts';
export { brokerPort, joinBroker, thread } from './thread.ts';
export { tls } from './tls.ts';
export { ws } from './ws.ts';
