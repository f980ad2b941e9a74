/**
 * What an engine and its supervisor share: a few numbers, and a ring of bytes for all that a running task tells. It works
 * while the engine's thread is in a loop, which messages from and to its event loop do not.
 */

/** Int32. WRITTEN and READ count the ring's bytes, modulo 2^32. */
export const WRITTEN = 0;
export const READ = 1;
/** 0: the supervisor sleeps, and must be woken. */
export const AWAKE = 2;
/** 1: there is progress that the supervisor has not read. */
export const PROGRESS = 3;
/** Messages for tasks: how many the supervisor has posted, and how many the engine has taken off its port. */
export const POSTED = 4;
export const TAKEN = 5;
/** The job that runs now: whose, and which of his calls. */
export const CLIENT = 6;
export const CALL = 7;
/** 1 while the supervisor is connected to the engine's inspector; the engine must not exit then. */
export const DEBUGGING = 8;
/** 1: the engine is about to exit. */
export const EXITING = 9;
/** The operating system's number of the engine's thread, where it is known. */
export const OS_THREAD = 10;
/** 1: the engine decodes or encodes, which may nest deep, and to tell of a deep stack takes the debugger seconds. */
export const CODING = 11;
/** Jobs that have begun, modulo 2^32. */
export const BEGUN = 12;
/** 1: the supervisor does not look at what runs, and must be woken when a job begins. */
export const DOZING = 13;
/** 1: the supervisor tells the controller that the engine lives. */
export const BEATING = 14;
const INTS = 16;

/** Float64. Date.now() of the engine's last turn of its event loop, and of the running job's start. */
export const TURNED = 0;
export const SINCE = 1;
/** The newest progress of a task, and which: how far, of how much (NaN: it has not said), whose, which call. */
export const DONE = 2;
export const TOTAL = 3;
export const OF_CLIENT = 4;
export const OF_CALL = 5;
const NUMBERS = 8;

/** Bytes. A power of two. */
export const RING = 1 << 20;

export interface SharedMemory {
  readonly ints: Int32Array;
  readonly numbers: Float64Array;
  readonly ring: Buffer;
}

export function newMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(INTS * 4 + NUMBERS * 8 + RING);
}

export function memoryIn(buffer: SharedArrayBuffer): SharedMemory {
  return {
    ints: new Int32Array(buffer, 0, INTS),
    numbers: new Float64Array(buffer, INTS * 4, NUMBERS),
    ring: Buffer.from(buffer, INTS * 4 + NUMBERS * 8, RING),
  };
}
