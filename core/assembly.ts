/**
 * How the parts of a call become its value. The same on clients and, for pending results used as arguments, on engines.
 * single: one target's value. list: one value a target. concat: blocks in target order. interleave: dealt out cyclically.
 */
import { UsageError } from './errors.ts';
import { registerClass } from './wire/classes.ts';

export type Assembly = 'single' | 'list' | 'concat' | 'interleave' | 'nothing';

type TypedArray = {
  length: number;
  set(values: ArrayLike<number>, at: number): void;
  constructor: new (n: number) => TypedArray;
} & ArrayLike<number>;

export function assemble(how: Assembly, parts: readonly unknown[]): unknown {
  switch (how) {
    case 'single':
      return parts[0];
    case 'list':
      return [...parts];
    case 'concat':
      return concat(parts.map(asList));
    case 'interleave':
      return interleave(parts.map(asList));
    case 'nothing':
      return undefined;
  }
}

/** Typed arrays of one type stay typed; everything else becomes an array. */
function concat(parts: readonly ArrayLike<unknown>[]): unknown {
  const typed = asTyped(parts);
  if (!typed) return parts.flatMap((part) => Array.from(part));
  const total = typedArray(typed[0]!, lengthOf(typed));
  let at = 0;
  for (const part of typed) {
    total.set(part, at);
    at += part.length;
  }
  return total;
}

function interleave(parts: readonly ArrayLike<unknown>[]): unknown {
  const typed = asTyped(parts);
  const total: { [i: number]: unknown } = typed ? (typedArray(typed[0]!, lengthOf(typed)) as never) : [];
  for (const [offset, part] of parts.entries()) {
    for (let i = 0; i < part.length; i++) total[i * parts.length + offset] = part[i];
  }
  return total;
}

function asList(part: unknown, index: number): ArrayLike<unknown> {
  if (Array.isArray(part) || ArrayBuffer.isView(part)) return part as unknown as ArrayLike<unknown>;
  if (typeof (part as Iterable<unknown> | undefined)?.[Symbol.iterator] === 'function')
    return Array.from(part as Iterable<unknown>);
  const kind = part === null ? 'null' : typeof part;
  throw new UsageError(`Lists can be joined, but part ${index} is not one (${kind}); pull gives parts as they are`);
}

function asTyped(parts: readonly unknown[]): TypedArray[] | undefined {
  const type = parts[0]?.constructor;
  const all = parts.every((p) => ArrayBuffer.isView(p) && !(p instanceof DataView) && p.constructor === type);
  return parts.length && all ? (parts as TypedArray[]) : undefined;
}

function lengthOf(parts: readonly ArrayLike<unknown>[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Zeros, of the same type. */
export function typedArray(like: object, length: number): TypedArray {
  if (typeof Buffer !== 'undefined' && Buffer.isBuffer(like)) return Buffer.alloc(length) as never;
  return new (like as TypedArray).constructor(length);
}

/** Parts that are assembled where they arrive. */
export class Assembled {
  readonly how: Assembly;
  readonly parts: readonly unknown[];
  constructor(how: Assembly, parts: readonly unknown[]) {
    this.how = how;
    this.parts = parts;
  }
}

registerClass(Assembled, {
  name: 'tutti.Assembled',
  encode: ({ how, parts }) => [how, ...parts],
  decode: (plain) => {
    const [how, ...parts] = plain as [Assembly, ...unknown[]];
    return assemble(how, parts) as Assembled;
  },
});
