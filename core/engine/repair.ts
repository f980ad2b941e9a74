/**
 * What termination leaves broken in Node, and how it is mended. Node keeps a stack of async ids and ends the process when it
 * finds it unbalanced; termination skips the `finally` blocks that balance it. Node has a function of its own that empties
 * that stack, which can be reached from a public one.
 */
import { AsyncResource } from 'node:async_hooks';
import { closureOf } from '../functions/scopes.ts';

type Anything = any;

/** Undefined where this version of Node is not as expected: then only what is inside the door is stopped. */
export function findRepair(): (() => void) | undefined {
  try {
    const emitAfter = inScopes(AsyncResource.prototype.runInAsyncScope, 'emitAfter');
    const { clearAsyncIdStack } = inScopes(emitAfter, 'async_wrap');
    return typeof clearAsyncIdStack === 'function' ? clearAsyncIdStack : undefined;
  } catch {
    return undefined;
  }
}

function inScopes(fn: Anything, name: string): Anything {
  return closureOf(fn).scopes.find(({ variables }) => Object.hasOwn(variables, name))!.variables[name];
}
