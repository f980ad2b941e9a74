/** What functions of a job find as `ctx`. */
import { UsageError } from '../../../core/index.ts';
import { Tally } from '../counters.ts';
import type { Op } from '../plan.ts';
import type { TaskContext } from '../types.ts';

/** What is being read. */
export interface Reading {
  file: string | undefined;
}

export interface TaskFacts {
  readonly reading: Reading;
  readonly id: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export type Emit = (key: any, value: any) => void;

export class Context implements TaskContext {
  /** An own property: it is called for each record. */
  readonly emit: Emit;
  readonly task: TaskContext['task'];
  readonly signal: AbortSignal;
  readonly tally: Tally;
  state: unknown;
  readonly #reading: Reading;
  #emitTo: ((name: string, key: unknown, value: unknown) => void) | undefined;

  constructor(
    { phase, step }: Op,
    { id, attempt, signal, reading }: TaskFacts,
    emit: Emit,
    { emitTo, tally = new Tally() }: { emitTo?: Context['emitTo'] | undefined; tally?: Tally } = {},
  ) {
    this.emit = emit;
    this.#emitTo = emitTo;
    this.task = { id, attempt, step, phase };
    this.signal = signal;
    this.tally = tally;
    this.#reading = reading;
    this.counter = this.counter.bind(this);
    this.emitTo = this.emitTo.bind(this);
  }

  get file(): string | undefined {
    return this.#reading.file;
  }

  counter(group: string, name: string, by?: number): void {
    this.tally.add(group, name, by);
  }

  emitTo(name: string, key: unknown, value: unknown): void {
    if (!this.#emitTo)
      throw new UsageError(
        `emitTo('${name}', …): only the last step of a job whose output is a folder has outputs by name`,
      );
    this.#emitTo(name, key, value);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
