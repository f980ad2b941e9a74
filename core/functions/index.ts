export { bundleModule, type ModuleBundle } from './bundle.ts';
export { capturedPath, refusal } from './refusal.ts';
export { remote, snapshot } from './remote.ts';
export { bundleScript, type ScriptBundle, transformScript } from './script.ts';
export { FunctionSender } from './sender.ts';
