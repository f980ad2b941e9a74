/** What may happen to a call, given what was done to its engines and its client. */
import { readFileSync } from 'node:fs';
import { type CompositeError, EngineLostError, TuttiError } from '../../core/errors.ts';
import type { Done } from './work.ts';

/** What was done to an engine or client so far, so that a call can be held against it. */
export interface Trouble {
  /** Counts up with each kill, cut, restart, removal. */
  count: number;
  /** Is it over? */
  healed: boolean;
}

export interface Made {
  token: number;
  client: number;
  engines: readonly number[];
  bytes: number;
  /** The call whose result it was given. */
  given: Made | undefined;
  /** The client may end it itself. */
  ends: 'CANCELLED' | 'TIMEOUT' | undefined;
  settled: boolean;
  troubles: Map<Trouble, number>;
  clientTrouble: Trouble;
  clientCount: number;
}

/** Codes that tell of a lost engine, or of a value that was lost with it. */
const LOSSES = ['ENGINE_LOST', 'VALUE_LOST', 'DEPENDENCY', 'INVALID_TARGET'];

export class Model {
  readonly calls: Made[] = [];
  readonly wrong: string[] = [];
  readonly tally: Record<string, number> = {};
  /** Which process or thread each engine was seen to be, last. */
  readonly lives = new Map<number, string>();
  #troubles = new Map<number, Trouble>();
  /** Processes and threads that have ended, and the last call that had been made by then. */
  #dead = new Map<string, number>();

  troubleOf(engine: number): Trouble {
    let trouble = this.#troubles.get(engine);
    if (!trouble) this.#troubles.set(engine, (trouble = { count: 0, healed: true }));
    return trouble;
  }

  /** Something is about to be done to this engine that its calls may feel; for `heal`. */
  trouble(engine: number): number {
    const trouble = this.troubleOf(engine);
    trouble.healed = false;
    return ++trouble.count;
  }

  /** That is over; unless something else was done to it since, so is all of it. */
  heal(engine: number, count: number): void {
    const trouble = this.troubleOf(engine);
    trouble.healed ||= trouble.count === count;
  }

  /** Nothing that is asked for from now on may come from this process or thread. */
  ended(life: string): void {
    this.#dead.set(life, this.calls.length);
  }

  make(about: Pick<Made, 'client' | 'engines' | 'bytes' | 'given' | 'ends' | 'clientTrouble'>): Made {
    const troubles = new Map<Trouble, number>();
    const made: Made = {
      ...about,
      token: this.calls.length,
      settled: false,
      troubles,
      clientCount: about.clientTrouble.count,
    };
    for (let call: Made | undefined = made; call; call = call.given)
      for (const engine of call.engines) {
        const trouble = this.troubleOf(engine);
        // What a given result met since it was asked for, this call may meet, too.
        const before = call === made ? trouble.count : (call.troubles.get(trouble) ?? trouble.count);
        troubles.set(trouble, Math.min(troubles.get(trouble) ?? before, trouble.healed ? before : -1));
      }
    this.calls.push(made);
    return made;
  }

  resolved(made: Made, results: readonly Done[]): void {
    this.#settled(made, 'OK');
    if (results.length !== made.engines.length) this.#wrong(made, `has ${results.length} results`);
    for (const [i, { token, life, data, used }] of results.entries()) {
      this.lives.set(made.engines[i]!, life);
      if (token !== made.token) this.#wrong(made, `has the result of call ${token}`);
      if ((data?.length ?? 0) !== made.bytes || data?.some((byte) => byte !== made.token % 251))
        this.#wrong(made, 'has other data than it made');
      if (used !== made.given?.token) this.#wrong(made, `was given ${used}, not ${made.given?.token}`);
      if ((this.#dead.get(life) ?? Number.POSITIVE_INFINITY) <= made.token)
        this.#wrong(made, 'was answered by a process that had ended before');
    }
  }

  rejected(made: Made, error: unknown): void {
    const errors = (error as CompositeError).code === 'COMPOSITE' ? (error as CompositeError).errors : [error];
    for (const one of errors) {
      const code = one instanceof TuttiError ? one.code : String((one as { code?: unknown }).code);
      this.#settled(made, code);
      if (!this.#mayFail(made, code)) this.#wrong(made, `failed: ${(one as Error).stack}`);
      if (one instanceof EngineLostError && !made.engines.includes(one.engine))
        this.#wrong(made, `failed for engine ${one.engine}`);
    }
  }

  /** Holds what the engines wrote down against what was asked of them. */
  checkRuns(file: string): number {
    const runs = new Map<number, string[]>();
    const last = new Map<string, number>();
    const lines = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean);
    for (const line of lines) {
      const [text, life] = line.split(' ') as [string, string];
      const made = this.calls[Number(text)]!;
      runs.set(made.token, [...(runs.get(made.token) ?? []), life]);
      const key = `${made.client} ${life}`;
      if ((last.get(key) ?? -1) >= made.token) this.#wrong(made, `ran after call ${last.get(key)} of the same client`);
      last.set(key, made.token);
    }
    for (const [token, lives] of runs) {
      const made = this.calls[token]!;
      if (lives.length > made.engines.length || new Set(lives).size !== lives.length)
        this.#wrong(made, `ran ${lives.length} times on ${made.engines.length} engines`);
    }
    for (const made of this.calls) if (!made.settled) this.#wrong(made, 'was never settled');
    return lines.length;
  }

  #mayFail(made: Made, code: string): boolean {
    if (code === made.ends) return true;
    if (code === 'SESSION_LOST') return made.clientTrouble.count > made.clientCount;
    for (let given = made.given; code === 'DEPENDENCY' && given; given = given.given) if (given.ends) return true;
    return LOSSES.includes(code) && [...made.troubles].some(([trouble, count]) => trouble.count > count);
  }

  #settled(made: Made, how: string): void {
    made.settled = true;
    this.tally[how] = (this.tally[how] ?? 0) + 1;
  }

  #wrong(made: Made, what: string): void {
    const about = ({ token, engines, troubles }: Made): string => {
      const counts = [...troubles].map(([{ count, healed }, then]) => `${then}/${count}${healed ? '' : ', not over'}`);
      return `Call ${token} (engines ${engines.join(', ')}; troubles then/now ${counts.join('; ')})`;
    };
    const given: string[] = [];
    for (let { given: call } = made; call; call = call.given) given.push(`, given ${about(call)}`);
    this.wrong.push(`${about(made)}${given.join('')} of client ${made.client} ${what}`);
  }
}
