/**
 * A task that does little but print is nearly always in the engine's code, where it must not be stopped. So it is asked to stand
 * still at the end of that.
 */
import { STAND_STILL } from './memory.ts';

/** ms: the supervisor may be gone. */
const MOST = 500;
/** ms between two places at which the debugger can pause it. */
const LOOK_AGAIN = 1;

/** The supervisor knows this name: a task that waits here may be stopped. */
export function waitForSupervisor(ints: Int32Array): void {
  if (!Atomics.load(ints, STAND_STILL)) return;
  const until = performance.now() + MOST;
  while (Atomics.load(ints, STAND_STILL) && performance.now() < until) Atomics.wait(ints, STAND_STILL, 1, LOOK_AGAIN);
}

export function standStill(ints: Int32Array, on: boolean): void {
  Atomics.store(ints, STAND_STILL, on ? 1 : 0);
  if (!on) Atomics.notify(ints, STAND_STILL);
}
