/** Where texts that were sent from here come from, by what stack traces call them at their receivers. */
import { type Found, registerFinder } from '../places.ts';

/** Line and column count from 1. */
export type Origin = (line: number, column: number) => Found;

const origins = new Map<string, Origin>();
/** `tutti:///module-0123abcd.js`, and modules that were bundled to be run here. */
const HASH = /[-=]([0-9a-f]{8})(?:\.js)?$/;

registerFinder((url, line, column) => {
  const hash = HASH.exec(url)?.[1];
  return hash === undefined ? undefined : origins.get(hash)?.(line, column);
});

/** What a text's hash is called in the names that stack traces show. */
export const shortHash = (hash: string): string => hash.slice(0, 8);

export function cameFrom(hash: string, origin: Origin): void {
  origins.set(shortHash(hash), origin);
}
