export { type LauncherFixture, launcherCompliance } from './launcher.ts';
export { type ParadigmFixture, paradigmCompliance } from './paradigm.ts';
export { type StoreFixture, storeCompliance } from './store.ts';
export { type Runner, type TransportFixture, transportCompliance } from './transport.ts';
