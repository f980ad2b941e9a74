/** Node waits, with a line on stderr, for whoever is connected to the inspector of a process that exits. */
import { AWAKE, DEBUGGING, EXITING, type SharedMemory } from './memory.ts';

/** ms that an exiting process waits for its supervisor to let go. */
const PATIENCE = 2_000;

/** From now on its supervisor does not connect any more, and lets go where it has. */
export function tellExit({ ints }: SharedMemory): void {
  Atomics.store(ints, EXITING, 1);
  Atomics.store(ints, AWAKE, 1);
  Atomics.notify(ints, AWAKE);
}

/** Called when it exits. */
export function letGo(memory: SharedMemory): void {
  const { ints } = memory;
  tellExit(memory);
  if (Atomics.load(ints, DEBUGGING)) Atomics.wait(ints, DEBUGGING, 1, PATIENCE);
}
