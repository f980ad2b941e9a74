export { type StoreFixture, storeCompliance } from './store.ts';
export { type Runner, type TransportFixture, transportCompliance } from './transport.ts';
