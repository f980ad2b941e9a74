/**
 * `tutti/engine`: what code on an engine knows of itself. The same objects are globals in `execute` and console code.
 * @example
 * import { engine } from 'tutti/engine';
 * export const whoAmI = () => `${engine.id} of ${engine.size} on ${engine.host}`;
 */
import { UsageError } from '../errors.ts';
import type { Task } from './job.ts';

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

export const engine: EngineSelf = standIn<EngineSelf>('engine');
/** The task that runs; a property access outside of any task throws UsageError. */
export const task: Task = standIn<Task>('task');

function standIn<T extends object>(name: string): T {
  const real = (): T => {
    const value = (globalThis as Record<symbol, unknown>)[Symbol.for(`tutti.${name}`)] as T | undefined;
    if (!value) throw new UsageError(`'${name}' of tutti/engine exists only while code runs on an engine`);
    return value;
  };
  return new Proxy({} as T, {
    get: (_, key) => Reflect.get(real(), key),
    has: (_, key) => Reflect.has(real(), key),
    ownKeys: () => Reflect.ownKeys(real()),
    getOwnPropertyDescriptor: (_, key) => Object.getOwnPropertyDescriptor(real(), key),
  });
}
