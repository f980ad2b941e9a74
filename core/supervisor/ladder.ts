/**
 * How a thread is stopped in whatever it is doing, and looked into. Each rung costs more than the one before:
 *
 * - landed: the loop is inside the door (`core/engine/door.ts`). It is terminated up to there; nothing else is lost.
 * - restarted: it is inside a callback that we call. The callback's frame is run again, and does nothing the second time.
 * - unwound: it runs past an await. All is terminated down to the event loop; what else was about to run in the same
 *   turn is lost with it, so the engine repairs what it can and gives up the other calls in flight.
 *
 * What is done by other means (before it started, by its signal, by ending the engine) is not here. All that hangs on
 * Node's and V8's internals is in this file, in `door.ts`, and in `repair.ts`, which checks them when the engine starts.
 */
import type { Debuggee } from './debuggee.ts';

export type Rung = 'landed' | 'restarted' | 'unwound';

/** Functions of the engine by their names on the stack. */
const LANDING = 'tuttiLand';
const RESTARTABLE = 'tuttiEnter';
/** Programs in which the engine itself runs, and its door. */
const OURS = /\/engine-(process|thread)\.mjs$|^tutti:door$/;

/** ms. A loop without a call and without a step position (`while (true);`) does not step. */
const STEP = 200;
const RESTART = 500;
/** The debugger stays on for that long, ms: turning it on is what costs most. */
const LINGER = 1_000;
/** ms that whoever exits is given to hear that nobody looks any more. */
const LET_GO = 1_500;
/** ms until the thread has left a place where it must not be stopped, and between two looks. */
const DELICATE = 1_000;
const DELICATE_WAIT = 5;
/** ms for code that we run while the thread is paused: listeners of its signals may be among it, and they may loop. */
const EVALUATE = 2_000;

export interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string };
  readonly canBeRestarted?: boolean;
  readonly from: 'node' | 'engine' | 'user';
}

/** The thread stands still. */
export interface Pause {
  readonly frames: readonly Frame[];
  /** Evaluates an expression of our own and gives its value. */
  ask(expression: string): Promise<any>;
  /** Evaluates an expression of the user's in a frame, without side effects. */
  read(frame: Frame, expression: string): Promise<Read>;
  /** Gives what was read to a function of the engine. */
  hand(read: unknown, functionDeclaration: string): Promise<void>;
  /** Undefined: it cannot be stopped here without harm. */
  stop(): Promise<Rung | undefined>;
}

export type Read = { value: unknown } | { error: { className: string; message: string } };

/** Before an inspector is connected, and after. `enter` may say that it is too late for that: the thread is about to exit. */
export interface Gate {
  enter(): boolean;
  leave(): void;
}

/** What may be of use while a pause is waited for. */
export interface Meanwhile {
  /** Once it has come about, nobody needs the pause any more. */
  readonly over?: Promise<unknown>;
  /** Done as soon as the thread pauses at the next JavaScript it comes to. */
  asked?(): Promise<void>;
  /** It is paused in Node's code, called by the user's, and goes on to the end of that. */
  inside?(pause: Pause): Promise<unknown>;
}

export class Ladder {
  #connect: () => Debuggee;
  #gate: Gate;
  #debuggee: Debuggee | undefined;
  #linger: NodeJS.Timeout | undefined;
  /** Scripts that are not users'. A frame itself does not tell what it is of. */
  #scripts = new Map<string, 'node' | 'engine'>();
  #paused: ((frames: Frame[]) => void) | undefined;
  /** It stands still, and until it says that it does not, another pause would not be heard. */
  #still = false;
  #goesOn = (): void => {};
  /** The last pause ended in a termination, which may not have taken effect yet. */
  #terminating = false;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Debuggee, gate: Gate) {
    this.#connect = connect;
    this.#gate = gate;
  }

  /**
   * Pauses the thread, does what is to be done, and lets it go on. Undefined: it has not paused within `patience` ms, since
   * it is in native code, or idle. One at a time.
   */
  whilePaused<T>(
    patience: number,
    work: (pause: Pause) => Promise<T>,
    meanwhile: Meanwhile = {},
  ): Promise<T | undefined> {
    const turn = this.#busy.then(() => this.#whilePaused(patience, work, meanwhile));
    this.#busy = turn.catch(() => {});
    return turn;
  }

  async #whilePaused<T>(
    patience: number,
    work: (pause: Pause) => Promise<T>,
    meanwhile: Meanwhile,
  ): Promise<T | undefined> {
    if (await isOver(meanwhile.over)) return undefined;
    const debuggee = this.#open();
    try {
      const pause = await this.#atRest(debuggee, patience, meanwhile);
      if (!pause) return undefined;
      try {
        return await work(pause);
      } finally {
        this.#terminating = pause.gone;
        if (!pause.gone) await debuggee.post('Debugger.resume').catch(() => {});
      }
    } finally {
      this.#linger = setTimeout(() => this.close(), LINGER);
    }
  }

  /** The process exits: a worker that stood still then would hold it up for ever, and one goes on only when it has heard so. */
  async letGo(): Promise<void> {
    const debuggee = this.#debuggee;
    if (!debuggee) return;
    await Promise.race([debuggee.post('Debugger.disable').catch(() => {}), sleep(LET_GO)]);
    if (this.#debuggee === debuggee) this.close();
  }

  close(): void {
    clearTimeout(this.#linger);
    const debuggee = this.#debuggee;
    this.#debuggee = undefined;
    this.#still = false;
    if (!debuggee) return;
    debuggee.close(); // a thread that is paused goes on then
    this.#gate.leave();
  }

  #open(): Debuggee {
    clearTimeout(this.#linger);
    if (this.#debuggee) return this.#debuggee;
    if (!this.#gate.enter()) throw new Error('The thread is about to exit');
    try {
      const debuggee = this.#connect();
      this.#scripts.clear();
      debuggee.on('Debugger.scriptParsed', ({ scriptId, url }: { scriptId: string; url: string }) => {
        if (url.startsWith('node:')) this.#scripts.set(scriptId, 'node');
        else if (OURS.test(url)) this.#scripts.set(scriptId, 'engine');
      });
      debuggee.on('Debugger.paused', ({ callFrames }: { callFrames: Frame[] }) => {
        this.#still = true;
        const take = this.#paused;
        this.#paused = undefined;
        // A pause that nobody waits for any more: one that came late, or a `debugger` statement of the user's.
        if (take)
          take(callFrames.map((frame) => ({ ...frame, from: this.#scripts.get(frame.location.scriptId) ?? 'user' })));
        else debuggee.post('Debugger.resume').catch(() => {});
      });
      debuggee.on('Debugger.resumed', () => {
        this.#still = false;
        this.#goesOn();
      });
      // Answered only when the thread is in JavaScript; commands behind it wait for it in order.
      debuggee.post('Debugger.enable').catch(() => {});
      return (this.#debuggee = debuggee);
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
  }

  /** Paused, and no termination of the pause before is still to come: it would strike what is asked here. */
  async #atRest(debuggee: Debuggee, patience: number, meanwhile: Meanwhile): Promise<Paused | undefined> {
    for (;;) {
      const frames = await this.#comeToRest(debuggee, patience, meanwhile);
      if (!frames) return undefined;
      const pause = this.#standing(debuggee, frames);
      if (!this.#terminating || !(await pause.passOn())) {
        this.#terminating = false;
        return pause;
      }
      await sleep(DELICATE_WAIT);
    }
  }

  #standing(debuggee: Debuggee, frames: readonly Frame[]): Paused {
    return new Paused(debuggee, frames, (ms, act) => this.#next(ms, act));
  }

  /** Pauses it, if need be some time later: where it can be stopped, as far as that does not take long. */
  async #comeToRest(debuggee: Debuggee, patience: number, meanwhile: Meanwhile): Promise<Frame[] | undefined> {
    let frames = await this.#pause(debuggee, patience, meanwhile);
    for (const begun = performance.now(); frames && (isDelicate(frames) || isInside(frames)); ) {
      if (performance.now() - begun > DELICATE) return frames;
      // Where the user's code has called it, it goes back to there.
      if (frames.some(isUsers)) {
        await meanwhile.inside?.(this.#standing(debuggee, frames));
        frames = await this.#next(STEP, () => debuggee.post('Debugger.stepOut'));
      } else {
        await debuggee.post('Debugger.resume');
        await sleep(DELICATE_WAIT);
        frames = undefined;
      }
      frames ??= await this.#pause(debuggee, patience, meanwhile);
    }
    return frames;
  }

  async #pause(debuggee: Debuggee, patience: number, { over, asked }: Meanwhile): Promise<Frame[] | undefined> {
    if (await isOver(over)) return undefined;
    if (this.#still) await Promise.race([new Promise<void>((resolve) => (this.#goesOn = resolve)), sleep(STEP)]);
    const pausing = this.#next(patience, () => debuggee.post('Debugger.pause'), over);
    if (asked) void debuggee.sent().then(asked);
    const frames = await pausing;
    // Withdraws what was asked for: it would come at the next JavaScript, when nobody expects it.
    if (!frames) this.close();
    return frames;
  }

  /** The next pause, which `act` brings about. */
  async #next(ms: number, act: () => Promise<unknown>, over?: Promise<unknown>): Promise<Frame[] | undefined> {
    return new Promise((resolve) => {
      const take = (frames?: Frame[]): void => {
        clearTimeout(timer);
        if (this.#paused === take) this.#paused = undefined;
        resolve(frames);
      };
      const timer = setTimeout(take, ms);
      this.#paused = take;
      over?.then(() => take());
      act().catch(() => {});
    });
  }
}

class Paused implements Pause {
  frames: readonly Frame[];
  /** It has been let go on already, to be terminated. */
  gone = false;
  #debuggee: Debuggee;
  #next: (ms: number, act: () => Promise<unknown>) => Promise<Frame[] | undefined>;

  constructor(
    debuggee: Debuggee,
    frames: readonly Frame[],
    next: (ms: number, act: () => Promise<unknown>) => Promise<Frame[] | undefined>,
  ) {
    this.#debuggee = debuggee;
    this.frames = frames;
    this.#next = next;
  }

  /** Whether a termination was under way: it has struck here, and is sent on to whom it is meant for. */
  async passOn(): Promise<boolean> {
    try {
      await this.ask('0');
      return false;
    } catch (error) {
      if (!TERMINATED.test((error as Error).message)) return false; // the stack is full
      await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
      return true;
    }
  }

  async ask(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId: this.frames[0]!.callFrameId,
      expression,
      returnByValue: true,
      silent: true,
      timeout: EVALUATE,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async read(frame: Frame, expression: string): Promise<Read> {
    const { result, exceptionDetails } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId: frame.callFrameId,
      expression,
      objectGroup: GROUP,
      silent: true,
      throwOnSideEffect: true,
      timeout: EVALUATE,
    });
    if (!exceptionDetails) return { value: result };
    const { className = 'Error', description = exceptionDetails.text } = exceptionDetails.exception ?? {};
    return {
      error: {
        className,
        message: String(description)
          .split('\n')[0]!
          .replace(/^\w*Error: /, ''),
      },
    };
  }

  async hand(read: unknown, functionDeclaration: string): Promise<void> {
    const { objectId, value, unserializableValue } = read as Record<string, unknown>;
    const argument = objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value };
    const { result } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId: this.frames[0]!.callFrameId,
      expression: 'globalThis',
      objectGroup: GROUP,
    });
    const { exceptionDetails } = await this.#debuggee.post('Runtime.callFunctionOn', {
      objectId: result.objectId,
      functionDeclaration,
      arguments: [argument],
      silent: true,
    });
    await this.#debuggee.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  async stop(): Promise<Rung | undefined> {
    if (isDelicate(this.frames)) return undefined;
    if (this.frames.some((frame) => frame.functionName === LANDING)) return this.#terminate('landed');
    if (!(await this.ask(`${DOOR}.mendable`))) return undefined;
    if (this.frames.some(restartable) && (await this.#restart())) return 'restarted';
    if (isDelicate(this.frames)) return undefined; // it has stepped to there
    return this.#terminate('unwound');
  }

  async #terminate(rung: Rung): Promise<Rung> {
    await this.ask(`${DOOR}.repair(${rung === 'unwound'})`);
    this.gone = true;
    await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
    return rung;
  }

  /** After a step: a frame below optimised code cannot be restarted, and V8 ends the process when it is tried. */
  async #restart(): Promise<boolean> {
    const stepped = await this.#next(STEP, () => this.#debuggee.post('Debugger.stepInto'));
    if (!stepped) {
      const again = await this.#next(STEP, () => this.#debuggee.post('Debugger.pause'));
      if (!again) throw new Error('The thread did not pause again');
      this.frames = again;
      return false;
    }
    this.frames = stepped;
    if (isDelicate(stepped)) return false;
    const frame = stepped.find(restartable);
    if (!frame) return false;
    await this.ask(`${DOOR}.skip()`);
    const again = await this.#next(RESTART, () =>
      this.#debuggee.post('Debugger.restartFrame', { callFrameId: frame.callFrameId, mode: 'StepInto' }),
    );
    if (again) this.frames = again;
    return true;
  }
}

const GROUP = 'tutti-peek';
/** Where the engine has its end of all this. */
export const DOOR = `globalThis['tutti.door']`;

const TERMINATED = /terminated/;

function restartable({ functionName, canBeRestarted }: Frame): boolean {
  return functionName === RESTARTABLE && canBeRestarted === true;
}

/**
 * Where it must not be stopped: where nothing of the user's runs; in the engine's own code, called by the user's or by nobody, unless it only waits there; and in
 * a hook that V8 calls for each promise, which swallows what ends it, so that the loop would go on.
 */
function isDelicate(frames: readonly Frame[]): boolean {
  if (!frames.some(isUsers)) return true;
  const first = frames.find(({ from }) => from !== 'node');
  if (first?.from === 'engine' && !WAITS.has(first.functionName)) return true;
  return frames.some(({ from, functionName }) => from === 'node' && PROMISE_HOOK.test(functionName));
}

/** Where it had better not be stopped, but may be if it stays there: in Node's own code, called by the user's. */
function isInside(frames: readonly Frame[]): boolean {
  return frames[0]?.from === 'node';
}

const PROMISE_HOOK = /^promise\w*Hook/;
/** A writer at a full ring waits for as long as it takes, and callbacks are entered. */
const WAITS = new Set(['waitForRoom', RESTARTABLE]);

function isUsers({ from }: Frame): boolean {
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

const NOT_YET = Symbol();

async function isOver(over: Promise<unknown> | undefined): Promise<boolean> {
  return over !== undefined && (await Promise.race([over, Promise.resolve(NOT_YET)])) !== NOT_YET;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
