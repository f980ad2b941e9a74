/** What calls can ask of an engine. Each gets its decoded arguments, runs inside the door, and may return a promise. */
import type { Cell } from '../console/cell.ts';
import { RefusedError } from '../errors.ts';
import type { FunctionStore } from '../functions/store.ts';
import type { Payload } from '../wire/forms.ts';
import type { Desk } from './desk.ts';
import type { createEvaluator } from './evaluator.ts';
import type { Job } from './job.ts';
import { namesIn, propertiesOf } from './names.ts';
import type { createNamespace } from './namespace.ts';
import { travelling } from './shown.ts';
import { ScriptExit } from './surface.ts';
import type { Call } from './turns.ts';

const NONE: readonly unknown[] = [];

export interface Workshop {
  evaluator: ReturnType<typeof createEvaluator>;
  namespace: ReturnType<typeof createNamespace>;
  functions: FunctionStore;
}

export interface RunOutcome {
  exitCode: number;
  /** The script's exports. */
  exports: Record<string, unknown>;
}

type Operation = (shop: Workshop, args: any) => unknown;

/** All but `apply`, whose function is called with nothing in between. */
const operations: Record<string, Operation> = {
  execute: ({ evaluator }, [cell, ...values]: [Cell, ...unknown[]]) => evaluator.run(cell, values),
  map: (_, [fn, columns]: [(...xs: unknown[]) => unknown, unknown[][]]) => mapBlock(fn, columns),
  push: ({ namespace }, [vars]) => namespace.set(vars),
  pull: ({ namespace }, [names]: [string | string[]]) =>
    typeof names === 'string' ? namespace.get(names) : names.map((name) => namespace.get(name)),
  names: ({ namespace }, [expression]: [string?]) =>
    expression === undefined ? namesIn(globalThis, namespace.names()) : propertiesOf(namespace.get(expression)),
  clear: ({ namespace }) => namespace.clear(),
  run: ({ functions }, [script, argv]: [{ hash: string; file: string }, string[]]) =>
    runScript(functions, script, argv),
};

/** Takes a job up: the desk knows that it runs, and its arguments are decoded. Gives how its code is called. */
export function callsOf(
  shop: Workshop,
  desk: Desk,
  decode: (payload: Payload, fetched: readonly Payload[]) => unknown,
): (job: Job) => Call {
  /** Those for all targets, and those for this one. */
  const argumentsOf = (payloads: readonly Payload[], fetched: readonly Payload[]): unknown[] => {
    const lists = payloads.map((payload) => decode(payload, fetched));
    return lists.length === 1 && Array.isArray(lists[0]) ? lists[0] : lists.flat();
  };
  return (job) => {
    desk.runs(job);
    if (job.own) return { fn: job.own.code, self: job.own, args: NONE };
    const { payloads, fetched } = job;
    job.payloads = job.fetched = [];
    const args = desk.coding(() => argumentsOf(payloads, fetched));
    if (job.op === 'apply') return { fn: args.shift() as Call['fn'], args };
    const operation = Object.hasOwn(operations, job.op) ? operations[job.op] : undefined;
    if (!operation)
      throw new RefusedError(
        `This engine does not know the operation '${job.op.slice(0, 40)}'; client and engine differ in version`,
      );
    return { fn: operation, args: [shop, args] };
  };
}

/** Item after item: synchronous while it can be, so that a block of plain calls costs no promise. */
function mapBlock(fn: (...xs: unknown[]) => unknown, columns: unknown[][]): unknown {
  const length = Math.min(...columns.map((column) => column.length));
  const results: unknown[] = new Array(length);
  const from = (start: number): unknown => {
    for (let i = start; i < length; i++) {
      const value = columns.length === 1 ? fn(columns[0]![i]) : fn(...columns.map((column) => column[i]));
      if (value instanceof Promise || typeof (value as any)?.then === 'function') {
        return Promise.resolve(value as PromiseLike<unknown>).then((result) => {
          results[i] = result;
          return from(i + 1);
        });
      }
      results[i] = value;
    }
    return results;
  };
  return from(0);
}

async function runScript(
  functions: FunctionStore,
  { hash, file }: { hash: string; file: string },
  argv: string[],
): Promise<RunOutcome> {
  try {
    const exports = await functions.runScript(hash, file, argv);
    return { exitCode: Number(process.exitCode ?? 0), exports: exportsThatTravel(exports) };
  } catch (error) {
    if (error instanceof ScriptExit) return { exitCode: error.exitCode, exports: {} };
    throw error;
  } finally {
    process.exitCode = undefined;
  }
}

/** A script may export anything for its own modules; functions stay here, other values are shown where they cannot travel. */
function exportsThatTravel(exports: Record<string, unknown>): Record<string, unknown> {
  const values = Object.entries(exports).filter(([, value]) => typeof value !== 'function');
  return Object.fromEntries(values.map(([name, value]) => [name, travelling(value)]));
}
