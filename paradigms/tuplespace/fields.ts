/** What a template may say of a field instead of a value. It is data, so that no code of anybody runs where tuples are kept. */
import { registerClass, UsageError } from '../../core/index.ts';
import type { PatternForm, Primitive } from './forms.ts';

type Class<T> = abstract new (...args: any[]) => T;

declare const matched: unique symbol;
/** Another copy of this module may have made it: functions bring theirs along to engines. */
const FIELD = Symbol.for('tutti.field');

/** Matches values of type V. Made by `t` and `ANY`. */
export class Field<out V = unknown> {
  declare readonly [matched]: V;
  readonly [FIELD] = true;
  readonly kind: PatternForm extends infer P
    ? P extends readonly [infer K extends string, ...unknown[]]
      ? K
      : 'any'
    : never;
  /** Of `oneOf`: values, which may be anything. */
  readonly args: readonly unknown[];

  constructor(kind: Field['kind'], args: readonly unknown[] = []) {
    this.kind = kind;
    this.args = args;
  }

  toString(): string {
    return this.kind === 'any' ? 'ANY' : `t.${this.kind}(${this.args.map(String).join(', ')})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

export function isField(value: unknown): value is Field {
  return typeof value === 'object' && value !== null && FIELD in value;
}

// So that functions which go to engines may hold them.
registerClass(Field, {
  name: 'tutti.Field',
  encode: ({ kind, args }) => [kind, args],
  decode: ([kind, args]) => (kind === 'any' ? ANY : new Field(kind, args)),
});

/** Any value, `null` and `undefined` included; in a record, of a key that is there. */
export const ANY: Field<any> = new Field('any');

interface Primitives {
  string: string;
  number: number;
  boolean: boolean;
  bigint: bigint;
  undefined: undefined;
  null: null;
  object: object;
}

type TypeOf<C> = C extends typeof String
  ? string
  : C extends typeof Number
    ? number
    : C extends typeof Boolean
      ? boolean
      : C extends typeof BigInt
        ? bigint
        : C extends Class<infer T>
          ? T
          : C extends keyof Primitives
            ? Primitives[C]
            : never;

const PRIMITIVES = new Map<unknown, string>([
  [String, 'string'],
  [Number, 'number'],
  [Boolean, 'boolean'],
  [BigInt, 'bigint'],
  [Object, 'object'],
]);
const TYPES = ['string', 'number', 'boolean', 'bigint', 'undefined', 'null', 'object'];
const ORDERED = ['number', 'string', 'bigint'];

export const t = {
  /** Values of a type: `String`, `Number`, `Boolean`, `BigInt`, a class (or one below it), or the name of a type as `typeof` has it. */
  type<const C extends Class<any> | typeof BigInt | keyof Primitives>(type: C): Field<TypeOf<C>> {
    const name = PRIMITIVES.get(type) ?? (typeof type === 'function' ? type.name : type);
    if (typeof name !== 'string' || name === '' || (typeof type === 'string' && !TYPES.includes(type)))
      throw new UsageError(`t.type takes a class, or one of ${TYPES.join(', ')}; got ${String(type)}`);
    return new Field('type', [name]);
  },

  /** From `low` to `high`, both included; numbers, texts or bigints. `undefined` leaves an end open. */
  range<T extends number | string | bigint>(
    low: T | undefined,
    high?: T,
  ): Field<T extends number ? number : T extends string ? string : bigint> {
    const ends = [low, high].filter((end) => end !== undefined);
    const types = new Set(ends.map((end) => typeof end));
    if (types.size !== 1 || !ORDERED.includes([...types][0]!) || ends.some((end) => Number.isNaN(end)))
      throw new UsageError(
        `t.range takes two numbers, two texts or two bigints, of which one may be undefined; got ${String(low)} and ${String(high)}`,
      );
    return new Field('range', [low, high]);
  },

  /** One of these values, of whatever type they are. */
  oneOf<const V extends readonly unknown[]>(...values: V): Field<V[number]> {
    return new Field('oneOf', values);
  },

  /** Texts in which the regular expression is found. */
  re(pattern: RegExp): Field<string> {
    if (!(pattern instanceof RegExp)) throw new UsageError(`t.re takes a regular expression; got ${typeof pattern}`);
    return new Field('re', [pattern.source, pattern.flags]);
  },
};

/** @internal for templates that were written as JSON */
export function fieldOfKind(kind: string, args: readonly unknown[]): Field {
  if (kind === 'any') return ANY;
  if (kind === 'type') return t.type(args[0] as 'string');
  if (kind === 'range') return t.range(args[0] as number, args[1] as number);
  if (kind === 'oneOf') return t.oneOf(...args);
  try {
    return t.re(new RegExp(args[0] as string, args[1] as string | undefined));
  } catch (cause) {
    throw new UsageError(`There is no such regular expression: ${(cause as Error).message}`, { cause });
  }
}

export type { Primitive };
