/**
 * Node's queue of immediates does not survive a termination within one of them. So callbacks of user code are called through
 * a frame that can be run again and skipped.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import type { Door } from './door.ts';

export function restartImmediates(door: Door): void {
  const { setImmediate } = globalThis;
  const restartable = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    setImmediate(
      // What is no function Node refuses, in its own words.
      typeof callback === 'function' ? door.restartable(callback) : callback,
      ...args,
    )) as typeof setImmediate;
  Object.defineProperty(restartable, promisify.custom, { value: setImmediate[promisify.custom as never] });
  Object.defineProperty(restartable, 'name', { value: 'setImmediate' });
  globalThis.setImmediate = restartable;
  createRequire(import.meta.url)('node:timers').setImmediate = restartable;
  syncBuiltinESMExports();
}
