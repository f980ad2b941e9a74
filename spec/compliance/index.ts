export { type Runner, type TransportFixture, transportCompliance } from './transport.ts';
