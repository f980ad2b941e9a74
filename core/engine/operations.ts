/** What calls can ask of an engine. Each gets its decoded arguments, runs inside the door, and may return a promise. */
import type { Cell } from '../console/cell.ts';
import type { FunctionStore } from '../functions/store.ts';
import type { createEvaluator } from './evaluator.ts';
import { namesIn, propertiesOf } from './names.ts';
import type { createNamespace } from './namespace.ts';
import { travelling } from './shown.ts';
import { ScriptExit } from './surface.ts';

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

export const operations: Record<string, Operation> = {
  execute: ({ evaluator }, [cell, ...values]: [Cell, ...unknown[]]) => evaluator.run(cell, values),
  apply: (_, [fn, ...args]) => fn(...args),
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
