/**
 * How the parts of a call become its value. The same on clients and, for pending results used as arguments, on engines.
 * single: one target's value. list: one value a target. concat: blocks in target order. interleave: dealt out cyclically.
 */
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
      return concat(parts as ArrayLike<unknown>[]);
    case 'interleave':
      return interleave(parts as ArrayLike<unknown>[]);
    case 'nothing':
      return undefined;
  }
}

/** Typed arrays of one type stay typed; everything else becomes an array. */
function concat(parts: readonly ArrayLike<unknown>[]): unknown {
  const typed = asTyped(parts);
  if (!typed) return parts.flatMap((part) => Array.from(part));
  const total = make(typed);
  let at = 0;
  for (const part of typed) {
    total.set(part, at);
    at += part.length;
  }
  return total;
}

function interleave(parts: readonly ArrayLike<unknown>[]): unknown {
  const typed = asTyped(parts);
  const total: { [i: number]: unknown } = typed ? (make(typed) as never) : [];
  for (const [offset, part] of parts.entries()) {
    for (let i = 0; i < part.length; i++) total[i * parts.length + offset] = part[i];
  }
  return total;
}

function asTyped(parts: readonly unknown[]): TypedArray[] | undefined {
  const type = parts[0]?.constructor;
  const all = parts.every((p) => ArrayBuffer.isView(p) && !(p instanceof DataView) && p.constructor === type);
  return parts.length && all ? (parts as TypedArray[]) : undefined;
}

function make(parts: TypedArray[]): TypedArray {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const Type = parts[0]!.constructor;
  // A Buffer cannot be made with `new`; its parts are joined as the Uint8Arrays that they are.
  return new Type(length);
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
