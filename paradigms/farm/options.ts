/** What can be said of tasks and of a farm, and how it travels. */
import { type AsyncResult, type EngineInfo, UsageError } from '../../core/index.ts';
import type { PolicyName } from './controller/policy.ts';

export type Pending = AsyncResult<any, any>;

export interface BackoffSpec {
  /** ms before the second run. Default: 100. */
  readonly first?: number;
  /** Each wait is so many times the one before. Default: 2. */
  readonly factor?: number;
  /** ms that no wait exceeds. Default: 30,000. */
  readonly most?: number;
}

export interface TaskOptions {
  /** Begins when all of these have succeeded: results, or ids of tasks. */
  after?: Pending | string | readonly (Pending | string)[];
  /** The same, and on the engine where the last of them ran. */
  follow?: Pending | string | readonly (Pending | string)[];
  /** Runs in all, counting the first. Default: 1. Runs that were lost with their engine do not count. */
  attempts?: number;
  /** Between runs: ms before the second one, which doubles each time (with a quarter of chance), or how. Default: at once. */
  backoff?: number | BackoffSpec;
  /** May this error be tried again? Asked on the engine, with the number of runs so far. */
  retryIf?: (error: any, runs: number) => boolean;
  /** ms that one run may take. */
  timeout?: number;
  /** ms from submission to completion, waiting included. */
  deadline?: number;
  /** Bytes, as encoded: a result that takes more is a LimitError. Default: as much as one message carries. */
  resultLimit?: number;
  /** Higher ones go first. Default: 0. */
  priority?: number;
  /** What it takes of what engines have, while it runs: `{ gpu: 1 }`. */
  needs?: Readonly<Record<string, number>>;
  /** Engines that may run it. */
  targets?: readonly number[] | ((engine: EngineInfo) => boolean);
  /** Tasks with one key run on one engine, as long as that lives. */
  key?: string;
  /** A task with the same function and arguments need not run again. */
  memo?: boolean;
  /** When it takes much longer than others, a second copy starts elsewhere; the first one to succeed counts. */
  hedge?: boolean;
  /** It goes on when this client leaves, and can be collected later. */
  detached?: boolean;
  label?: string;
  /** Aborting cancels. */
  signal?: AbortSignal;
}

export interface FarmOptions extends TaskOptions {
  /** Tasks that each engine has under way at a time, while they wait for something. Default: 1. */
  concurrency?: number;
  /** Which engine, of those with room. Default: leastLoaded. */
  policy?: PolicyName;
}

export type Check = readonly [is: string, test: (value: any) => boolean];

const POSITIVE: Check = [
  'a number of milliseconds above 0',
  (ms) => typeof ms === 'number' && ms > 0 && ms <= 2 ** 31 - 1,
];
const FLAG: Check = ['true or false', (value) => typeof value === 'boolean'];
const WHOLE: Check = ['a whole number from 1 on', (n) => Number.isSafeInteger(n) && n >= 1];
const ANY: Check = ['', () => true];
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && Number.isFinite(value);

const CHECKS: Readonly<Record<keyof FarmOptions, Check>> = {
  after: ANY,
  follow: ANY,
  attempts: ['how often it may run in all: 1, 2, 3, …', (n) => Number.isSafeInteger(n) && n >= 1],
  backoff: [
    'ms before the second run, or { first, factor, most }',
    (b) =>
      isAmount(b) ||
      (typeof b === 'object' &&
        b !== null &&
        Object.entries(b).every(
          ([k, v]) => ['first', 'factor', 'most'].includes(k) && (v === undefined || isAmount(v)),
        )),
  ],
  retryIf: ['a function of the error', (fn) => typeof fn === 'function'],
  timeout: POSITIVE,
  deadline: POSITIVE,
  resultLimit: ['a number of bytes from 1 on', (n) => Number.isSafeInteger(n) && n >= 1],
  priority: ['a number', (n) => typeof n === 'number' && Number.isFinite(n)],
  needs: [
    'amounts by name, e.g. { gpu: 1 }',
    (needs) =>
      typeof needs === 'object' && needs !== null && !Array.isArray(needs) && Object.values(needs).every(isAmount),
  ],
  targets: [
    'a list of engine ids, not empty, or a function that picks engines',
    (t) => typeof t === 'function' || (Array.isArray(t) && t.length > 0 && t.every((id) => Number.isSafeInteger(id))),
  ],
  key: ['a text', (key) => typeof key === 'string'],
  memo: FLAG,
  hedge: FLAG,
  detached: FLAG,
  label: ['a text', (label) => typeof label === 'string'],
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  concurrency: WHOLE,
  policy: [
    "'leastLoaded', 'roundRobin', 'random' or 'weighted'",
    (name) => ['leastLoaded', 'roundRobin', 'random', 'weighted'].includes(name),
  ],
};

/** Throws UsageError for what a farm does not know, or cannot do. */
export function checkTaskOptions(what: string, options: FarmOptions, more: Readonly<Record<string, Check>> = {}): void {
  if (typeof options !== 'object' || options === null)
    throw new UsageError(`The options of ${what} are an object, e.g. { attempts: 3 }; got ${typeof options}`);
  const checks: Record<string, Check> = { ...CHECKS, ...more };
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw new UsageError(`${what} has no option '${name}'; its options: ${Object.keys(checks).join(', ')}`);
    if (value !== undefined && !check[1](value)) throw new UsageError(`${name} is ${check[0]}; got ${shown(value)}`);
  }
}

export const COUNT: Check = WHOLE;

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 60);
  } catch {
    return typeof value;
  }
}
