export { natsStores } from './store/nats-stores.ts';
export { nats } from './transport.ts';
