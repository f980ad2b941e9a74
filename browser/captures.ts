/**
 * Stands in for `core/functions/captures.ts`: nothing in a browser tells what a function closes over. So every free name is
 * left to the receiver, as one that is found nowhere is in Node: it resolves in the engine's namespace. Only the class
 * that a class extends is known.
 */
import { type Source, withBase } from '../core/functions/source.ts';
import type { Code } from '../core/functions/travellers.ts';

export function readCaptures(fn: Code, source: Source, _path: string): Record<string, unknown> {
  return withBase(fn, source, {});
}
