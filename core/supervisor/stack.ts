/** What a thread runs, by its stack: Node's code, the engine's, or the user's; and where it may be stopped. */

/** A function of the engine by its name on the stack. */
const LANDING = 'tuttiLand';
/** Programs in which the engine itself runs, and its door. */
const OURS = /\/entry\/engine-[\w-]+\.mjs$|^tutti:door$/;
const PROMISE_HOOK = /^promise\w*Hook/;
/** A writer at a full ring waits for as long as it takes, and who was asked to stand still for as long as somebody looks. */
const WAITS = new Set(['waitForRoom', 'waitForSupervisor']);
/** Node's loop over callbacks of `setImmediate`. */
const IMMEDIATES = 'processImmediate';

export interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string };
  readonly from: 'node' | 'engine' | 'user';
}

/** Whose a script is; undefined: the user's. */
export function ownerOf(url: string): 'node' | 'engine' | undefined {
  return url.startsWith('node:') ? 'node' : OURS.test(url) ? 'engine' : undefined;
}

/** It is inside the door. */
export function hasLanding(frames: readonly Frame[]): boolean {
  return frames.some(({ functionName }) => functionName === LANDING);
}

/** Where Node calls callbacks of `setImmediate`, if it has come from there. */
export function immediatesIn(frames: readonly Frame[]): Frame | undefined {
  return frames.find(({ from, functionName }) => from === 'node' && functionName === IMMEDIATES);
}

/**
 * Where it must not be stopped: where nothing of the user's runs; in the engine's own code, called by the user's or by nobody,
 * unless it only waits there; and in a hook that V8 calls for each promise, which swallows what ends it, so that the loop
 * would go on.
 */
export function isDelicate(frames: readonly Frame[]): boolean {
  if (!frames.some(isUsers)) return true;
  const first = frames.find(({ from }) => from !== 'node');
  if (first?.from === 'engine' && !WAITS.has(first.functionName)) return true;
  return frames.some(({ from, functionName }) => from === 'node' && PROMISE_HOOK.test(functionName));
}

/** Where it had better not be stopped, but may be if it stays there: in Node's own code, called by the user's. */
export function isInside(frames: readonly Frame[]): boolean {
  return frames[0]?.from === 'node';
}

export function isUsers({ from }: Frame): boolean {
  return from === 'user';
}

/** Frames of the user's code, the task's own function first. */
export function userFrames(frames: readonly Frame[]): Frame[] {
  const landing = frames.findIndex(({ functionName }) => functionName === LANDING);
  return frames
    .slice(0, landing < 0 ? undefined : landing)
    .filter(isUsers)
    .reverse();
}
