export { type ParadigmFixture, paradigmCompliance } from './paradigm.ts';
export { type Runner, type TransportFixture, transportCompliance } from './transport.ts';
