/**
 * V8 optimises functions in a thread of its own, and inlines others there. When one of those is made ready for a break meanwhile, it
 * ends the process: "Check failed: inlineability == SharedFunctionInfo::kHasOptimizationDisabled" (Node 20 to 24). A step does that
 * with functions, and so does a pause that falls on a function's beginning. So before either, what is being optimised is dropped:
 * the thread waits until nothing is, and begins nothing anew, as it runs no other code between the two.
 */
import type { Debuggee } from './debuggee.ts';

/**
 * V8 itself drops it when it makes a function ready for a check for side effects: one that it has not seen before, and that writes to
 * something.
 */
const DROPS = { expression: '(() => { ({}).x = 1; })()', throwOnSideEffect: true, silent: true };

const TERMINATED = /terminated/;

/** Is followed at once by what it is for. Whether a termination that was under way has struck it: true. */
export async function dropOptimisation(debuggee: Debuggee): Promise<boolean> {
  try {
    await debuggee.post('Runtime.evaluate', DROPS);
    return false;
  } catch (error) {
    return isTermination(error as Error);
  }
}

export function isTermination({ message }: Error): boolean {
  return TERMINATED.test(message);
}
