/** Node waits, with a line on stderr, for whoever is connected to the inspector of a process that exits. */
import { AWAKE, DEBUGGING, EXITING, type SharedMemory } from './memory.ts';

/** ms that an exiting process waits for its supervisor to let go. */
const PATIENCE = 250;

/** Called when it exits. */
export function letGo({ ints }: SharedMemory): void {
  Atomics.store(ints, EXITING, 1);
  if (!Atomics.load(ints, DEBUGGING)) return;
  Atomics.store(ints, AWAKE, 1);
  Atomics.notify(ints, AWAKE);
  Atomics.wait(ints, DEBUGGING, 1, PATIENCE);
}
