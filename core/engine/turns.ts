/**
 * Calls run one at a time, first come first served; an asynchronous one keeps its turn until it settles. Those that have so far
 * been brief enter the door together, and lightly; before anything else, what has been told leaves.
 */
import { AsyncResource } from 'node:async_hooks';
import { InterruptedError } from '../errors.ts';
import type { Door } from './door.ts';
import { currentJob, type Job } from './job.ts';

/** ms within which a call is over at once; and that results wait for others, unless one of those breaks its habit. */
const BRIEF = 4;

const NONE = undefined as unknown as Job;
const SOON = Promise.resolve(undefined);

/** `fn.apply(self, args)` */
export interface Call {
  readonly fn: (...args: any[]) => unknown;
  readonly self?: unknown;
  readonly args: readonly unknown[];
}

export interface TurnsHooks {
  /** The code of the job, which may return a promise and may throw. Called inside the door; may throw. */
  callOf(job: Job): Call;
  /** The job has an outcome: its reply goes out. Called outside the door. */
  finish(job: Job, ok: boolean, value: unknown): void;
}

export class Turns {
  #queue: Job[] = [];
  #running: Job | undefined;
  /** They run, but have given their turn up. */
  #beside = new Set<Job>();
  #inside: Job | undefined;
  #pumping = false;
  #due = false;
  /** Until when what is brief may enter along with what is in. */
  #until = 0;
  #began = 0;
  #held = 0;
  /** Of this batch, those whose outcome has not been told. */
  #ended: Ended[] = [];
  /** Something has been told since the event loop has turned, perhaps; and it is to turn before something else begins. */
  #told = false;
  #leaving = false;
  #door: Door;
  #hooks: TurnsHooks;

  constructor(door: Door, hooks: TurnsHooks) {
    this.#door = door;
    this.#hooks = hooks;
    currentJob.enterWith(NONE); // from here on Node knows what each piece of code runs on behalf of
  }

  /** How many wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** The job that has its turn. */
  get running(): Job | undefined {
    return this.#inside ?? this.#running;
  }

  /** The job whose synchronous part runs now. */
  get inside(): Job | undefined {
    return this.#inside;
  }

  /** Those that have begun and not ended. */
  get inFlight(): Job[] {
    return [...(this.#running ? [this.#running] : []), ...this.#beside];
  }

  push(job: Job): void {
    this.#queue.push(job);
    this.pumpSoon();
  }

  /** Calls that have come together enter the door together. And there is less below user code: see `build.mjs`. */
  pumpSoon(): void {
    if (this.#due) return;
    this.#due = true;
    void SOON.then(this.#pump);
  }

  /** The job that runs or waits under this key. */
  find(key: number): Job | undefined {
    const { running } = this;
    if (running?.key === key) return running;
    for (const job of [this.#running, ...this.#beside]) if (job?.key === key) return job;
    return this.#queue.find((job) => job.key === key);
  }

  /** Calls that wait are taken off the queue, all of them before the next one starts; the one that runs is told. */
  drop(which: (job: Job) => boolean, reason: Error): void {
    const dropped = this.#queue.filter(which);
    this.#queue = this.#queue.filter((job) => !which(job));
    for (const job of dropped) {
      job.state = 'done';
      this.#hooks.finish(job, false, (job.failure = reason));
    }
    for (const job of [this.#running, ...this.#beside]) if (job && which(job)) job.abort(reason);
    this.pump();
  }

  /** Several at a time: those that are ready enter the door together. `ms`: how long their outcomes may wait for each other's. */
  pushAll(jobs: readonly Job[], onMicrotask: boolean, ms?: number): void {
    this.#queue.push(...jobs);
    this.pump(onMicrotask, ms);
  }

  /** The job goes on, and others may run beside it. */
  yield(job: Job): void {
    // Also of one beside which others may run anyway: whoever counts them must know that this one waits.
    if (!job.yielded) job.own?.yielded?.();
    job.yielded = true;
    if (job.beside) return;
    job.beside = true;
    if (this.#running !== job) return;
    this.#running = undefined;
    this.#beside.add(job);
    this.pump();
  }

  /** Settles a job whose own promise will not: it may be left behind running. */
  settle(job: Job, ok: boolean, value: unknown): void {
    if (job.state === 'done') return;
    job.state = 'done';
    if (this.#running === job) this.#running = undefined;
    else if (!this.#beside.delete(job)) this.#queue = this.#queue.filter((other) => other !== job);
    this.#told = true;
    this.#hooks.finish(job, ok, value);
    this.pump();
  }

  /** `process.exit` in a callback of the running script, outside of its own promise chain. */
  endScript(outcome: unknown): void {
    if (this.#running?.op === 'run') this.settle(this.#running, true, outcome);
  }

  /** Gives up on the call that runs, whatever it does. */
  abandon(reason: Error): void {
    for (const job of this.inFlight) this.settle(job, false, (job.failure = reason));
  }

  /** No job begins before what is returned has been called. */
  hold(): () => void {
    this.#held++;
    let holding = true;
    return () => {
      if (!holding) return;
      holding = false;
      this.#held--;
      this.pump();
    };
  }

  /** Call when the job at the head may have become ready. `onMicrotask`: and nothing of Node's is below us on the stack. */
  pump(onMicrotask = false, ms = BRIEF): void {
    // What they leave behind is left on this, and not on whatever it is that has called us, again and again perhaps.
    if (!this.#pumping) new AsyncResource('tutti.turn').runInAsyncScope(this.#pump, this, onMicrotask, ms);
  }

  readonly #pump = (onMicrotask: boolean | undefined = true, ms = BRIEF): void => {
    this.#due = false;
    if (this.#pumping) return; // the loop there takes what is due
    this.#pumping = true;
    const door = this.#door;
    try {
      for (let job = this.#next(), spent = false; job; job = this.#next()) {
        const brief = isBrief(job);
        if (this.#told && (spent || !brief)) {
          this.#letLeave();
          break;
        }
        this.#until = performance.now() + ms;
        if (!(brief && onMicrotask ? door.enterLightly(this.#batch) : door.enter(this.#batch))) this.#cut();
        spent = performance.now() > this.#until;
        this.#tellEnded();
      }
    } finally {
      this.#pumping = false;
    }
  };

  /** Whatever was on the stack has been terminated, down to the event loop. */
  unwound(): void {
    this.#leaving = this.#told = false;
    if (!this.#pumping) return;
    this.#cut();
    this.#tellEnded();
    this.#pumping = false;
  }

  /**
   * The first, and what is brief after it: whose results had better not wait for anything else. User code is called here, since V8
   * tells of each frame below it whenever it is looked into.
   */
  readonly #batch = (): void => {
    let job = this.#next();
    do {
      this.#queue.shift();
      if (this.#begins(job!)) {
        let ok = true;
        let value: unknown;
        let promise: Promise<unknown> | undefined;
        try {
          const { fn, self, args } = this.#hooks.callOf(job!);
          value = Reflect.apply(fn, self, args);
          // Users' thenables may call back at once, or twice, or throw; a promise does not.
          if (isThenable(value)) promise = new Promise((resolve) => resolve(value));
        } catch (error) {
          ok = false;
          value = error;
        }
        this.#over(job!, ok, value, promise);
      }
      job = this.#next();
    } while (job && isBrief(job) && performance.now() < this.#until);
  };

  #begins(job: Job): boolean {
    job.state = 'running';
    // Maybe doomed after the last look, and before it was running.
    if (job.failure !== undefined) {
      this.#ended.push({ job, ok: false, value: job.failure });
      return false;
    }
    job.started = Date.now();
    if (job.habit) this.#began = performance.now();
    this.#inside = job;
    currentJob.enterWith(job);
    return true;
  }

  /** Its synchronous part; one that is synchronous has ended then. */
  #over(job: Job, ok: boolean, value: unknown, promise: Promise<unknown> | undefined): void {
    this.#inside = undefined;
    currentJob.enterWith(NONE);
    if (ok && job.habit) job.habit.brief = performance.now() - this.#began < BRIEF;
    if (!promise) {
      this.#ended.push({ job, ok, value });
      return;
    }
    if (job.beside) this.#beside.add(job);
    else this.#running = job;
    promise.then(
      (result) => this.settle(job, true, result),
      (error) => this.settle(job, false, error),
    );
  }

  /** What has been told is under way before something begins that may take long. */
  #letLeave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    setImmediate(() => {
      this.#leaving = this.#told = false;
      this.pump();
    });
  }

  /** The batch was terminated within a job, which another thread had told to stop. */
  #cut(): void {
    const job = this.#inside;
    this.#inside = undefined;
    currentJob.enterWith(NONE); // it still says the job that was cut
    if (!job) return;
    if (job.habit) job.habit.brief = false;
    const value = (job.failure ??= job.doomed ?? new InterruptedError('Interrupted'));
    this.#ended.push({ job, ok: false, value });
  }

  #tellEnded(): void {
    for (const { job, ok, value } of this.#ended.splice(0)) {
      job.state = 'done';
      this.#told = true;
      this.#hooks.finish(job, ok, value);
    }
  }

  #next(): Job | undefined {
    if (this.#running || this.#held) return undefined;
    const head = this.#queue[0];
    return head && (head.missing === 0 || head.failure !== undefined) ? head : undefined;
  }
}

interface Ended {
  readonly job: Job;
  readonly ok: boolean;
  readonly value: unknown;
}

function isBrief({ habit, failure }: Job): boolean {
  return failure !== undefined || habit?.brief === true;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
