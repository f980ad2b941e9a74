/**
 * The one door through which user code is entered: `Runtime.evaluate` of this thread's own inspector, through a frame
 * named `tuttiLand`. A loop in there can be terminated from another thread, and the termination ends at the evaluate:
 * the process and its namespace stay. It costs about 15 µs a batch. What the supervisor asks of this thread while it stands
 * still, it asks of the object in the slot.
 */
import inspector from 'node:inspector';
import vm from 'node:vm';
import { findRepair } from './repair.ts';

const SLOT = 'tutti.door';
/** Without a global's name: user code may have made anything of it. */
const EXPRESSION = `void this['${SLOT}'].land()`;

/** As text, so that minifying cannot take the frame's name away. */
const PROGRAM = `(function (slot) {
  return {
    land: function tuttiLand() { slot.batch(); },
  };
})`;

export interface Door {
  /** Runs `batch` now; false if it was terminated. It must not throw: what user code throws is the batch's business. */
  enter(batch: () => void): boolean;
  /**
   * The same, for what has so far been over at once: it is simply called. One that goes on for ever all the same is stopped by
   * terminating all down to the event loop, and then this does not return.
   */
  enterLightly(batch: () => void): boolean;
  /** After a termination, wherever it was. */
  repair(): void;
  /** Soon collects all garbage there is, and says so. */
  collect(done: () => void): void;
}

/** What the supervisor may ask for while this thread stands still. Called in the middle of anything: it changes nothing but marks. */
export interface Asked {
  /** Takes an order, in JSON, and says how what it is about stands. */
  take(order: string): string;
  /** Does what a stopped task has left behind hold this thread up? */
  leftover(): boolean;
  /** All is about to be terminated down to the event loop. */
  unwinding(): void;
  /** Sends a value that was read from a running function. */
  show(id: number, value: unknown): void;
}

/** `supervised`: another thread may terminate what runs in here. Else user code is simply called. */
export function openDoor(supervised: boolean, asked: Asked): Door {
  const session = supervised ? connect() : undefined;
  if (!session) return PLAIN;
  const repair = findRepair();
  const { land } = vm.runInThisContext(PROGRAM, { filename: 'tutti:door' })(
    (Object.defineProperty(globalThis, SLOT, { value: {} }) as any)[SLOT],
  );
  const slot = Object.assign((globalThis as any)[SLOT], {
    batch: (): void => {},
    land,
    /** Whether more than what is inside the door can be stopped. */
    mendable: repair !== undefined,
    repair: (unwinds: boolean) => {
      if (unwinds) asked.unwinding();
      repair?.();
    },
    take: (order: string) => asked.take(order),
    leftover: () => asked.leftover(),
    show: (id: number, value: unknown) => asked.show(id, value),
  });
  const params = { expression: EXPRESSION, silent: true };
  let terminated = false;
  const done = (error: Error | null): void => {
    terminated = error !== null;
  };
  const enterFully = (batch: () => void): boolean => {
    slot.batch = batch;
    session.post('Runtime.evaluate', params, done);
    if (terminated) repair?.();
    return !terminated;
  };
  return {
    enter: enterFully,
    enterLightly: repair ? called : enterFully,
    repair: () => repair?.(),
    collect: (done) => session.post('HeapProfiler.collectGarbage', done),
  };
}

const PLAIN: Door = {
  enter: called,
  enterLightly: called,
  repair() {},
  collect() {},
};

function called(batch: () => void): boolean {
  batch();
  return true;
}

/** Under Node's permission model there is no inspector: user code then runs, but cannot be interrupted. */
function connect(): inspector.Session | undefined {
  try {
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch {
    return undefined;
  }
}
