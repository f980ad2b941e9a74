/**
 * Carries out orders: tells the engine's thread, and where that does not listen, since user code has it, stops it. Every order
 * is answered, once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Payload } from '../wire/forms.ts';
import type { FromEngine, Order, Stand, ToEngine } from './messages.ts';
import { DOOR, type Pause, type Rung, toldBy } from './pause.ts';
import type { Meanwhile, Pauses } from './pauses.ts';
import type { Answer } from './requests.ts';
import { hasLanding, userFrames } from './stack.ts';

/**
 * What became of a task that was to stop. never-started: it will not. signalled: it ended by itself, told by its signal.
 * landed, restarted, unwound: it was in a loop and was stopped (see `pause.ts`). abandoned: it waits at an await, and
 * whatever it does there, nobody waits for it. done: it had ended before. idle: nothing ran. stuck: it is in native code
 * that nothing can stop.
 */
export type Stopped = 'never-started' | 'signalled' | Rung | 'abandoned' | 'done' | 'idle' | 'stuck';

/** ms that a thread has to answer before it counts as busy. */
const ANSWER = 8;
/**
 * ms for a pause: the longest that JavaScript usually goes without a look for one. It is doubled with each try: to tell of ten
 * thousand frames takes long.
 */
const PAUSE = 700;
/** ms that a task may go on in a loop once its signal is aborted, if it has ever looked at it; and at an await. */
const GRACE = 200;
const AWAITING = 700;
/** ms after which a thread is given up that does not come out of native code. */
const GIVEN_UP = 5_000;
/** Statements that whoever looks into a task goes on, to where the name is that is asked for. */
const STEPS = 4;
/** Expressions that are remembered. */
const INVOLVED = 100;
/** ms that whoever looks into a task waits for one that is about to begin. */
const COMING = 2_000;

export interface InterrupterHome {
  readonly pauses: Pauses;
  post(message: ToEngine): void;
  /** Whether what the thread has begun last is the task of this order. */
  runs(order: Order): boolean;
  /** Ends the child processes that the engine has started. */
  killChildren(): Promise<void>;
}

export interface PeekOrder extends Order {
  readonly expression: string;
}

/** Why there is no value. */
export interface NoValue {
  why: Exclude<Stand, 'here' | 'willing'> | 'native' | 'thrown';
  className?: string;
  message?: string;
}

export class Interrupter {
  #home: InterrupterHome;
  #next = 0;
  #leftBehind = false;
  #tidying = false;
  #answers = new Map<number, (answer: FromEngine) => void>();
  /** Expressions that gave no plain value, or were not to be had at once. */
  #involved = new Set<string>();

  constructor(home: InterrupterHome) {
    this.#home = home;
  }

  receive(answer: FromEngine): void {
    if ('id' in answer) this.#answers.get(answer.id)?.(answer);
  }

  async carryOut(asked: Omit<Order, 'id'>): Promise<Answer> {
    const order: Order = { ...asked, id: ++this.#next };
    let told: Told | undefined;
    let rung: Rung | undefined;
    let heard = false;
    const answered = this.#answerTo(order, (answer) => {
      if (answer.type === 'stands') heard = true;
      if (answer.type !== 'answer') return false;
      told = answer.outcome;
      return true;
    });
    this.#home.post({ type: 'order', order });
    const begun = performance.now();
    await within(answered, ANSWER);
    if (heard) await within(answered, AWAITING);
    let willing = false;
    let native = false;
    for (let patience = PAUSE; !told; ) {
      const force: boolean = willing;
      const seen: Seen | undefined = await this.#home.pauses.whilePaused(
        patience,
        (pause) => stop(pause, order, force),
        // What it waits for in there can be ended; then it stops before it has gone on.
        {
          over: answered,
          // It may end by itself before it comes out of there.
          inside: (pause) => standOf(pause, order).catch(() => {}),
          ...(native && { asked: () => this.#home.killChildren() }),
        },
      );
      rung ??= seen?.rung;
      if (seen?.rung && seen.rung !== 'landed') this.#home.post({ type: 'unwound', order });
      if (told) break; // perhaps before we heard that it was stopped
      if (!seen) {
        patience *= 2;
        // In native code; or it has come to rest, and answers.
        await within(answered, ANSWER);
        native = true;
      } else if (seen.stand === 'waiting') return this.#forget(order, 'never-started');
      else if (seen.stand === 'done' && !seen.rung) return this.#forget(order, 'done');
      else {
        // What is left over may be a short callback that nobody minds.
        willing = seen.stand === 'willing' || seen.stand === 'stray';
        await within(answered, seen.rung ? PAUSE : willing ? GRACE : ANSWER);
      }
      if (!told && performance.now() - begun > GIVEN_UP) return this.#forget(order, 'stuck');
    }
    if (told === 'abandoned') this.#leftBehind = true;
    return this.#forget(order, outcomeOf(told, rung));
  }

  /** The event loop has not turned for long: because of what a task has left behind that was given up at an await? */
  async tidy(): Promise<void> {
    if (!this.#leftBehind || this.#tidying) return;
    this.#tidying = true;
    try {
      const rung = await this.#home.pauses.whilePaused(PAUSE, async (pause) =>
        (await pause.ask(`${DOOR}.leftover()`)) ? pause.stop() : undefined,
      );
      if (rung) this.#home.post({ type: 'unwound' });
    } catch {
      // Another time.
    } finally {
      this.#tidying = false;
    }
  }

  async peek(asked: Omit<PeekOrder, 'id'>): Promise<Answer> {
    for (const begun = performance.now(); ; await sleep(ANSWER)) {
      const answer = await this.#peek(asked);
      if ((answer.value as Partial<NoValue>).why !== 'coming' || performance.now() - begun > COMING) return answer;
    }
  }

  async #peek(asked: Omit<PeekOrder, 'id'>): Promise<Answer> {
    const { expression, ...rest } = asked;
    const order: Order = { ...rest, id: ++this.#next };
    const shown = this.#answerTo(order, () => true);
    this.#home.post({ type: 'order', order });
    let answer = await within(shown, ANSWER);
    for (const begun = performance.now(); !answer; ) {
      const meanwhile = { over: shown, anywhere: true };
      const seen =
        (!this.#involved.has(expression) && (await this.#glance(order, expression, meanwhile))) ||
        (await this.#home.pauses.whilePaused(PAUSE, (pause) => this.#look(pause, order, expression), meanwhile));
      if (seen?.payload) return { ...this.#forget(order, {}), payload: seen.payload };
      answer = await within(shown, seen?.why ? 0 : ANSWER);
      if (answer) break;
      if (seen?.why) return this.#forget(order, seen);
      if (performance.now() - begun > GIVEN_UP) return this.#forget(order, { why: 'native' });
    }
    this.#forget(order, undefined);
    if (answer.type !== 'shown') return { value: { why: answer.type === 'stands' ? answer.stand : 'done' } };
    const { codec, parts } = answer;
    return { value: {}, payload: { codec, parts } };
  }

  /** Takes the value for a plain one that is to be had at once: the thread goes on without waiting to hear. Undefined: it was not. */
  async #glance(order: Order, expression: string, meanwhile: Meanwhile): Promise<Looked | undefined> {
    const seen = await this.#home.pauses.whilePaused(
      PAUSE,
      async (pause) => {
        const [frame] = userFrames(pause.frames);
        if (!frame || !this.#begunLast(pause, order)) return { looked: await this.#look(pause, order, expression) };
        return { pause, reading: pause.read(frame, expression).catch(() => undefined) };
      },
      meanwhile,
    );
    if (!seen) return {};
    if (seen.looked) return seen.looked;
    const read = await seen.reading;
    const payload = read && 'value' in read ? toldBy(read.value) : undefined;
    if (payload) return { payload };
    seen.pause.release();
    if (this.#involved.size >= INVOLVED) this.#involved.clear();
    this.#involved.add(expression);
    return undefined;
  }

  #begunLast(pause: Pause, order: Order): boolean {
    return hasLanding(pause.frames) && this.#home.runs(order);
  }

  /** Reads the value, and has the engine send it if it takes more than to tell it. The thread stands still for as long as this takes. */
  async #look(pause: Pause, order: Order, expression: string): Promise<Looked> {
    let problem: Looked = { why: 'running' };
    for (let steps = 0; ; steps++) {
      const frames = userFrames(pause.frames);
      const first = frames[0] && pause.read(frames[0], expression);
      first?.catch(() => {});
      const stand = this.#begunLast(pause, order) ? 'here' : await standOf(pause, order);
      if (stand !== 'here' && stand !== 'willing') return steps ? problem : { why: stand };
      // Its own function's names first, then those of what it has called.
      for (const [i, frame] of frames.entries()) {
        const read = await (i ? pause.read(frame, expression) : first!);
        if ('value' in read) {
          const payload = toldBy(read.value);
          if (!payload) pause.show(read.value, order.id);
          return payload ? { payload } : {};
        }
        if (problem.why !== 'thrown') problem = { why: 'thrown', ...read.error };
        if (read.error.className !== 'ReferenceError') return { why: 'thrown', ...read.error };
      }
      // Threads pause between two rounds of a loop, where the names of its block are not in sight.
      if (steps === STEPS || problem.className !== 'ReferenceError' || !(await pause.step())) return problem;
    }
  }

  /** Resolves with the first answer that `take` is content with. */
  #answerTo({ id }: Order, take: (answer: FromEngine) => boolean): Promise<FromEngine> {
    return new Promise((resolve) => {
      this.#answers.set(id, (answer) => void (take(answer) && resolve(answer)));
    });
  }

  #forget({ id }: Order, value: unknown): Answer {
    this.#answers.delete(id);
    return { value };
  }
}

/** Once something has been stopped, there is nothing of it left that could have ended by itself, or be abandoned. */
function outcomeOf(told: Told, rung: Rung | undefined): Stopped {
  if (rung && told !== 'never-started') return rung;
  return told === 'settled' ? 'signalled' : told;
}

type Told = Extract<FromEngine, { type: 'answer' }>['outcome'];

interface Seen {
  readonly stand: Stand;
  readonly rung: Rung | undefined;
}

async function stop(pause: Pause, order: Order, force: boolean): Promise<Seen> {
  try {
    const stand = await standOf(pause, order);
    // A loop that is left over from a task that has ended holds all others up.
    const stops = stand === 'here' || ((stand === 'stray' || stand === 'willing') && force);
    return { stand, rung: stops ? await pause.stop() : undefined };
  } catch {
    // At the end of a stack there is no room even to ask. It will be elsewhere soon.
    return { stand: 'running', rung: undefined };
  }
}

async function standOf(pause: Pause, order: Order): Promise<Stand> {
  return pause.ask(`${DOOR}.take(${JSON.stringify(JSON.stringify(order))})`);
}

type Looked = Partial<NoValue> & { payload?: Payload };

function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
