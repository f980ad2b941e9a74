export { captureConsoleNames } from './console-names.ts';
export { remote, snapshot } from './remote.ts';
export { bundleScript } from './script.ts';
export { FunctionSender, isConstant } from './sender.ts';
