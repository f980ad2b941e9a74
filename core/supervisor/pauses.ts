/** Pauses a thread, so that it can be stopped or looked into (`pause.ts`), and lets it go on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Debuggee } from './debuggee.ts';
import { dropOptimisation } from './optimiser.ts';
import { Pause } from './pause.ts';
import { type Frame, isDelicate, isInside, isUsers, ownerOf } from './stack.ts';

/** ms until a thread that goes on has said so. */
const GOES_ON = 200;
/** The debugger stays on for that long, ms: turning it on is what costs most. */
const LINGER = 1_000;
/** ms that a pause which is not needed any more is given to be withdrawn. */
const WITHDRAWN = 50;
/** ms that whoever exits is given to hear that nobody looks any more. */
const LET_GO = 1_500;
/** ms until the thread has left a place where it must not be stopped, and between two looks. */
const DELICATE = 1_000;
const DELICATE_WAIT = 5;

/** Before an inspector is connected, and after. `enter` may say that it is too late for that: the thread is about to exit. */
export interface Gate {
  enter(): boolean;
  leave(): void;
  /** Now is a bad time; it will not take long. */
  closed(): boolean;
  /** Where it comes out of the engine's code into the user's it is to stand still. */
  standStill(on: boolean): void;
}

/** What may be of use while a pause is waited for. */
export interface Meanwhile {
  /** It may stand in Node's code, called by the user's: it is only looked at. */
  readonly anywhere?: boolean;
  /** Once it has come about, nobody needs the pause any more. */
  readonly over?: Promise<unknown>;
  /** Done as soon as the thread pauses at the next JavaScript it comes to. */
  asked?(): Promise<void>;
  /** It is paused in Node's code or ours, called by the user's, and goes on to where it is not. */
  inside?(pause: Pause): Promise<unknown>;
}

export class Pauses {
  #connect: () => Debuggee;
  #gate: Gate;
  #debuggee: Debuggee | undefined;
  #enabled = false;
  /** It is being turned on: of a thread with many scripts and a deep stack that takes long. When it has last told of one. */
  #enabling = false;
  #heard = 0;
  #exiting = false;
  #linger: NodeJS.Timeout | undefined;
  /** Scripts that are not users'. A frame itself does not tell what it is of. */
  #scripts = new Map<string, 'node' | 'engine'>();
  #paused: ((frames: Frame[]) => void) | undefined;
  /** It stands still, and until it says that it does not, another pause would not be heard. */
  #still = false;
  #goesOn = (): void => {};
  /** The last pause ended in a termination, which may not have taken effect yet; or has, on what went before this pause. */
  #terminating = false;
  #dropped: Promise<boolean> = Promise.resolve(false);
  #busy: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Debuggee, gate: Gate) {
    this.#connect = connect;
    this.#gate = gate;
  }

  /**
   * Pauses the thread, does what is to be done, and lets it go on. Undefined: it has not paused within `patience` ms, since
   * it is in native code, or idle; or nobody needs it any more (`over`). One at a time.
   */
  whilePaused<T>(
    patience: number,
    work: (pause: Pause) => Promise<T>,
    meanwhile: Meanwhile = {},
  ): Promise<T | undefined> {
    return this.#inTurn(() => this.#whilePaused(patience, work, meanwhile));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(work);
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
        await pause.handed;
      }
    } finally {
      this.#linger = setTimeout(() => void this.#inTurn(() => this.#leave(WITHDRAWN)), LINGER);
    }
  }

  /** The process exits: a worker that stood still then would hold it up for ever, and one goes on only when it has heard so. */
  async letGo(): Promise<void> {
    this.#exiting = true;
    await this.#leave(LET_GO);
  }

  async #leave(patience: number): Promise<void> {
    const debuggee = this.#debuggee;
    if (!debuggee) return;
    await this.#disable(debuggee, patience);
    if (this.#debuggee === debuggee) this.close();
  }

  close(): void {
    clearTimeout(this.#linger);
    const debuggee = this.#debuggee;
    this.#debuggee = undefined;
    this.#enabled = this.#still = false;
    if (!debuggee) return;
    debuggee.close(); // a thread that is paused goes on then
    this.#gate.leave();
  }

  #open(): Debuggee {
    clearTimeout(this.#linger);
    if (this.#exiting) throw new Error('The thread is about to exit');
    const debuggee = this.#debuggee ?? this.#connected();
    // Answered only when the thread is in JavaScript; commands behind it wait for it in order.
    if (!this.#enabled) {
      this.#enabling = true;
      void debuggee
        .post('Debugger.enable')
        .catch(() => {})
        .then(() => (this.#enabling = false));
    }
    this.#enabled = true;
    return debuggee;
  }

  #connected(): Debuggee {
    if (!this.#gate.enter()) throw new Error('The thread is about to exit');
    try {
      const debuggee = this.#connect();
      this.#scripts.clear();
      debuggee.on('Debugger.scriptParsed', ({ scriptId, url }: { scriptId: string; url: string }) => {
        this.#heard = performance.now();
        const owner = ownerOf(url);
        if (owner) this.#scripts.set(scriptId, owner);
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
      return (this.#debuggee = debuggee);
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
  }

  /** Paused, and no termination of the pause before is still to come: it would strike what is asked here. */
  async #atRest(debuggee: Debuggee, patience: number, meanwhile: Meanwhile): Promise<Pause | undefined> {
    for (;;) {
      const frames = await this.#comeToRest(debuggee, patience, meanwhile);
      if (!frames) return undefined;
      const pause = this.#standing(debuggee, frames);
      if (!this.#terminating || !(await pause.passOn(await this.#dropped))) {
        this.#terminating = false;
        return pause;
      }
      await sleep(DELICATE_WAIT);
    }
  }

  #standing(debuggee: Debuggee, frames: readonly Frame[]): Pause {
    return new Pause(debuggee, frames, (ms, act) => this.#next(ms, act));
  }

  /** Pauses it, if need be some time later: where it can be stopped, as far as that does not take long. */
  async #comeToRest(debuggee: Debuggee, patience: number, meanwhile: Meanwhile): Promise<Frame[] | undefined> {
    let frames = await this.#pause(debuggee, patience, meanwhile);
    const unfit = (): boolean =>
      frames !== undefined && (isDelicate(frames) || (!meanwhile.anywhere && isInside(frames)));
    try {
      for (const begun = performance.now(); frames && unfit() && performance.now() - begun < DELICATE; ) {
        // Where the user's code has called it, it is soon back there. (It is not stepped out: on its way it may optimise again.)
        const called = frames.some(isUsers);
        if (called) await meanwhile.inside?.(this.#standing(debuggee, frames));
        this.#gate.standStill(called);
        await debuggee.post('Debugger.resume');
        if (!called) await sleep(DELICATE_WAIT);
        frames = await this.#pause(debuggee, patience, meanwhile);
      }
    } finally {
      this.#gate.standStill(false);
    }
    return frames;
  }

  async #pause(debuggee: Debuggee, patience: number, { over, asked }: Meanwhile): Promise<Frame[] | undefined> {
    for (const begun = performance.now(); this.#gate.closed(); await sleep(DELICATE_WAIT))
      if (performance.now() - begun > patience) return undefined;
    if (this.#exiting || (await isOver(over))) return undefined;
    if (this.#still) await Promise.race([new Promise<void>((resolve) => (this.#goesOn = resolve)), sleep(GOES_ON)]);
    const pausing = this.#next(
      patience,
      () => {
        this.#dropped = dropOptimisation(debuggee);
        return debuggee.post('Debugger.pause');
      },
      over,
    );
    if (asked)
      debuggee
        .sent()
        .then(asked)
        .catch(() => {}); // the thread has ended, or what it waits for
    const frames = await pausing;
    if (!frames) await this.#disable(debuggee, WITHDRAWN);
    return frames;
  }

  /**
   * Also withdraws a pause that was asked for: it would come at the next JavaScript, when nobody expects it. Whoever merely
   * disconnects then may leave the thread standing still for ever. One in native code answers when it comes out, and takes what
   * is asked until then in this order.
   */
  async #disable(debuggee: Debuggee, patience: number): Promise<void> {
    this.#enabled = false;
    await Promise.race([debuggee.post('Debugger.disable').catch(() => {}), sleep(patience)]);
    this.#still = false;
  }

  /** The next pause, which `act` brings about. */
  async #next(ms: number, act: () => Promise<unknown>, over?: Promise<unknown>): Promise<Frame[] | undefined> {
    return new Promise((resolve) => {
      const take = (frames?: Frame[]): void => {
        clearTimeout(timer);
        if (this.#paused === take) this.#paused = undefined;
        resolve(frames);
      };
      const expire = (): void => {
        if (this.#enabling && performance.now() - this.#heard < ms) timer = setTimeout(expire, ms);
        else take();
      };
      let timer = setTimeout(expire, ms);
      this.#paused = take;
      over?.then(() => take());
      act().catch(() => {});
    });
  }
}

const NOT_YET = Symbol();

async function isOver(over: Promise<unknown> | undefined): Promise<boolean> {
  return over !== undefined && (await Promise.race([over, Promise.resolve(NOT_YET)])) !== NOT_YET;
}
