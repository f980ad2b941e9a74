export { remote, snapshot } from './remote.ts';
export { bundleScript } from './script.ts';
export { FunctionSender, isConstant } from './sender.ts';
