/**
 * `tutti/engine`: what code on an engine knows of itself. The same objects are globals in `execute` and console code.
 * @example
 * import { engine } from 'tutti/engine';
 * export const whoAmI = () => `${engine.id} of ${engine.size} on ${engine.host}`;
 */
import { UsageError } from '../errors.ts';
import type { Task } from './job.ts';

export { type ClassCodec, registerClass } from '../wire/classes.ts';
export type { Task } from './job.ts';

export interface EngineSelf {
  /** Its id in the cluster. */
  readonly id: number;
  /** How many engines the cluster has now. */
  readonly size: number;
  readonly host: string;
  /** The persistent namespace: the names that console code, push and scatter have made. */
  readonly namespace: Record<string, unknown>;
}

const STANDS_FOR = Symbol.for('tutti.standsFor');

/** Not a plain object: it must not be taken for data where a function captures it. */
class StandIn {
  readonly [STANDS_FOR]: string;
  constructor(name: string) {
    this[STANDS_FOR] = name;
  }
}

export const engine: EngineSelf = standIn<EngineSelf>('engine');
/** The task that runs; a property access outside of any task throws UsageError. */
export const task: Task = standIn<Task>('task');

/**
 * A captured `engine` or `task` means that of the engine where the function will run: the expression that finds it there. A function
 * may be kept there for many tasks, so it is these stand-ins again, which look anew at each use.
 */
export function standsFor(value: object): string | undefined {
  return value instanceof StandIn ? `globalThis[Symbol.for('tutti.inside')].${value[STANDS_FOR]}` : undefined;
}

function standIn<T extends object>(name: string): T {
  const here = (): T | undefined =>
    (globalThis as Record<symbol, unknown>)[Symbol.for(`tutti.${name}`)] as T | undefined;
  const real = (): T => {
    const value = here();
    if (!value) throw new UsageError(`'${name}' of tutti/engine exists only while code runs on an engine`);
    return value;
  };
  return new Proxy(new StandIn(name) as unknown as T, {
    // Symbols are asked for by whoever looks at a value; that is no use of it.
    get: (target, key) => (typeof key === 'symbol' ? Reflect.get(here() ?? target, key) : Reflect.get(real(), key)),
    has: (_, key) => Reflect.has(here() ?? {}, key),
    ownKeys: () => Reflect.ownKeys(here() ?? {}),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Object.getOwnPropertyDescriptor(here() ?? {}, key);
      return found && { ...found, configurable: true };
    },
  });
}
