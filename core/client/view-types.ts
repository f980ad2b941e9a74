/** Views: many shells at once. The types, which users see; `view.ts` makes them. */

import type { InterruptOutcome } from '../conversation.ts';
import type { NameInfo } from '../engine/names.ts';
import type { TypedArray } from '../wire/ownership.ts';
import type { AsyncResult } from './async-result.ts';
import type { CallOptions } from './call-spec.ts';
import type { Ref } from './ref.ts';

/** A value, or what stands for it: a pending result or a `ref`, at any depth. */
export type Sendable<T> =
  | T
  | AsyncResult<T, any>
  | Ref<T>
  | (T extends (...args: any[]) => unknown ? T : T extends object ? { [K in keyof T]: Sendable<T[K]> } : never);

export type SendableArgs<A extends unknown[]> = { [K in keyof A]: Sendable<A[K]> };

/** A function that travels, or a `ref` to one that is there already. */
export type Fn<A extends unknown[], R> = ((...args: A) => R) | Ref<(...args: A) => R>;

export interface RunResult {
  /** The script's exit code: 0 unless it called `process.exit(code)` or set `process.exitCode`. */
  exitCode: number;
  /** What it exports. */
  exports: Record<string, unknown>;
}

/** Typed arrays stay typed. */
type Gathered<T> = T extends TypedArray ? T : T[];

/** block: contiguous, earlier engines get one more when it does not divide evenly. cyclic: dealt out like cards. */
export interface Distribution extends CallOptions {
  by?: 'block' | 'cyclic';
}

/** Of many targets a list with one value each; of a single one its value. */
type Result<Many extends boolean, T> = Many extends true ? AsyncResult<T[], T> : AsyncResult<T, T>;

export interface BaseView<Many extends boolean> {
  /** Engine ids as of now. */
  readonly targets: number[];
  /** Runs console code (TypeScript) in each engine's namespace; gives the value of its last statement. */
  execute(code: string): Result<Many, any>;
  /** As a tag, the values in the text travel as variables; pending results and refs, too. */
  execute(strings: TemplateStringsArray, ...values: unknown[]): Result<Many, any>;
  /** The same as `execute`. */
  px(code: string): Result<Many, any>;
  px(strings: TemplateStringsArray, ...values: unknown[]): Result<Many, any>;
  /** Calls the function once on each target. */
  apply<A extends unknown[], R>(fn: Fn<A, R>, ...args: SendableArgs<A>): Result<Many, Awaited<R>>;
  /** Maps over items: contiguous blocks, one a target, order kept. With several lists the shortest counts. */
  map<T, R>(fn: Fn<[T], R>, items: Iterable<T>): AsyncResult<Awaited<R>[], Awaited<R>[]>;
  map<T extends unknown[], R>(
    fn: Fn<T, R>,
    ...lists: { [K in keyof T]: Iterable<T[K]> }
  ): AsyncResult<Awaited<R>[], Awaited<R>[]>;
  /** Sets variables in each namespace. */
  push(vars: Record<string, unknown>): AsyncResult<void>;
  /** The value of a name, or of any expression such as `a.b[0]`; a list of names gives a list. */
  pull<T = any>(name: string): Result<Many, T>;
  pull<T extends unknown[] = any[]>(names: string[]): Result<Many, T>;
  /**
   * What is in each namespace: names with type and size. Of an expression: the properties of its value, its own and those of its class.
   * No getter is run.
   */
  names(expression?: string): Result<Many, NameInfo[]>;
  /** Cuts the data into one piece a target and sets it under `name`. Typed arrays stay typed. */
  scatter(name: string, data: Iterable<unknown> | TypedArray, options?: Distribution): AsyncResult<void>;
  /** The inverse of scatter. */
  gather<T = any>(name: string, options?: Distribution): AsyncResult<Gathered<T>, Gathered<T>>;
  /** Bundles a script with what it imports, and runs it everywhere. */
  run(file: string | URL, options?: { args?: string[] } & CallOptions): Result<Many, RunResult>;
  /** A remote function. Its captures are taken once, here. */
  wrap<A extends unknown[], R>(fn: (...args: A) => R): (...args: SendableArgs<A>) => Result<Many, Awaited<R>>;
  /** Empties the namespaces. */
  clear(): AsyncResult<void>;
  /**
   * Stops what runs on the engines now, whoever's it is, and keeps them with their namespaces; what waits goes on. What is
   * stopped rejects with InterruptedError.
   */
  interrupt(reason?: string): Promise<InterruptOutcome[]>;
  /** The value of an expression in the function that runs on each engine now, whoever's it is; see `AsyncResult.peek`. */
  peek(expression: string): Promise<Many extends true ? unknown[] : unknown>;
  /** Ends the engines and starts them anew, under their ids, with empty namespaces. */
  restart(): Promise<void>;
}

export interface View extends BaseView<true> {
  /** The same view with options for its calls. */
  with(options: CallOptions): View;
}
/** One engine: the same with scalar results. */
export interface EngineView extends BaseView<false> {
  with(options: CallOptions): EngineView;
}
