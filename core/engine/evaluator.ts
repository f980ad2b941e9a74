/** Runs prepared texts in the engine's global scope. */
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import type { Cell } from '../console/cell.ts';
import { claim } from './namespace.ts';

// User code may replace any global for the whole process: what is needed later is taken now.
const { apply, defineProperty } = Reflect;
const evaluate = eval;

export interface Evaluator {
  /**
   * Runs a cell with the values of its parameters and gives its value, or the promise of it. Throws what the text throws, and
   * TypeError, before anything has run, if a declared name cannot be.
   */
  run(cell: Cell, values: unknown[]): unknown;
}

/** `import` and `require` in texts resolve from `dir`. Puts `require` on the global: comes before the namespace. */
export function createEvaluator(dir: string): Evaluator {
  const filename = path.join(dir, '[console]');
  // Called under another name it is an indirect eval; the `import()` of what it evaluates is that of this function.
  const inGlobal = vm.compileFunction('return evaluate(code)', ['evaluate', 'code'], {
    filename,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (evaluate: (code: string) => unknown, code: string) => unknown;
  const require = createRequire(filename);
  defineProperty(globalThis, 'require', { value: require, writable: true, enumerable: false, configurable: true });

  return {
    run(cell, values) {
      for (const name of cell.declared) claim(name);
      const result = inGlobal(evaluate, `${cell.code}\n//# sourceURL=${cell.url}`);
      return cell.wrapped ? apply(result as (...values: unknown[]) => unknown, undefined, values) : result;
    },
  };
}
