/** The console's own half: code that runs in this process, with the names that it has declared. */
import process from 'node:process';
import vm from 'node:vm';
import { prepare } from '../../core/console/index.ts';
import { createEvaluator } from '../../core/engine/evaluator.ts';
import { createNamespace } from '../../core/engine/namespace.ts';
import { CancelledError } from '../../core/errors.ts';
import { captureConsoleNames } from '../../core/functions/index.ts';
import { mapStacks, withInnerErrors } from '../../core/inner-errors.ts';
import { homeward } from '../../core/places.ts';

/** What became of a text: its value, or (it awaits something) the promise of it. A promise as value is a value. */
export type Evaluated = { value: unknown } | { promise: Promise<unknown> };

export interface Local {
  /** Runs a text as far as it goes without waiting. Throws what it throws. SIGINT stops a loop in it: CancelledError. */
  run(code: string): Evaluated;
  /** The value of an expression, for looking at; undefined where it has none. */
  look(expression: string): unknown;
  /** A variable of the user's. Undefined when there is none. */
  get(name: string): { value: unknown } | undefined;
  set(name: string, value: unknown): void;
  names(): string[];
  /** What happens around running code that does not wait. */
  around: (body: () => unknown) => unknown;
}

const SLOT = 'tutti.console';
/** ms that a SIGINT may take to be noticed. */
const LATE = 2;

/** `given`: names that are there from the start. Getters stay getters. */
export function createLocal(given: object): Local {
  const evaluator = createEvaluator(process.cwd());
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(given)))
    Object.defineProperty(globalThis, name, { ...property, enumerable: false, configurable: true });
  const namespace = createNamespace();
  const { view } = namespace;
  captureConsoleNames((name) => name in view);
  const slot = { enter: (): unknown => undefined };
  Object.defineProperty(globalThis, SLOT, { value: slot });
  // Without a global's name: the user may have made anything of it.
  const entrance = new vm.Script(`this['${SLOT}'].enter()`, { filename: '[console]' });

  const enter = (body: () => unknown): unknown => {
    slot.enter = body;
    return entrance.runInThisContext({ breakOnSigint: true });
  };
  const moment = new Int32Array(new SharedArrayBuffer(4));
  const { wait } = Atomics;
  /**
   * Node loses a SIGINT that comes while such code ends, and stops what is entered next with it, whenever that is. So something is, at
   * once, that only waits for that; and the signal is given to who waits for one.
   */
  const enterAndEnd = (body: () => unknown): unknown => {
    let stopped = false;
    try {
      return enter(body);
    } catch (error) {
      stopped = isInterrupted(error);
      throw error;
    } finally {
      try {
        enter(() => wait(moment, 0, 0, LATE));
      } catch {
        if (!stopped) setImmediate(() => process.emit('SIGINT'));
      }
    }
  };

  const local: Local = {
    around: (body) => body(),
    run(code) {
      const prepared = prepare(code);
      try {
        const value = local.around(() => enterAndEnd(() => evaluator.run(prepared.cell, [])));
        if (!prepared.cell.async) return { value };
        return { promise: (value as Promise<unknown>).catch(rethrow) };
      } catch (error) {
        return rethrow(error);
      }
    },
    look(expression) {
      try {
        return vm.runInThisContext(`(${expression}\n)`);
      } catch {
        return undefined;
      }
    },
    get: (name) => (name in view ? { value: view[name] } : undefined),
    set: (name, value) => namespace.set({ [name]: value }),
    names: () => namespace.names(),
  };
  return local;
}

function isInterrupted(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}

function rethrow(error: unknown): never {
  if (isInterrupted(error)) throw new CancelledError('Interrupted');
  mapStacks(withInnerErrors(error), (stack) => homeward(stack).stack);
  throw error;
}
