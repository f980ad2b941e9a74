/** What a call asks for. */
import type { Assembly } from '../assembly.ts';
import type { Luggage } from './arguments.ts';

export interface CallOptions {
  /** ms until what is pending rejects with TimeoutError and is cancelled. */
  timeout?: number;
  /** Aborting cancels. */
  signal?: AbortSignal;
  label?: string;
}

export interface CallSpec {
  op: string;
  /** Others than those of the view. */
  targets?: number[];
  /** Arguments for all targets. */
  args: unknown[];
  /** What error messages call the first of them, and of `own`; the rest is `args[0]`, `args[1]`, … */
  names?: { args?: string; own?: string };
  /** Further arguments, one list a target. */
  own?: (unknown[] | ((luggage: Luggage) => unknown[]))[];
  /** Code that the engines need besides that of functions in the arguments. */
  code?: string[];
  assembly: Assembly;
  options?: CallOptions;
}
