/** A template, made ready to be compared. It holds no code of anybody. */
import { UsageError } from '../../../core/index.ts';
import {
  type FieldForm,
  isItsOwnKey,
  type PatternForm,
  type Primitive,
  sameValue,
  type TemplateForm,
  type TupleForm,
} from '../forms.ts';
import { type FieldName, fieldOf, hasField, RECORD, type Shape, shapeOf } from './entry.ts';
import type { Key } from './sorted-node.ts';

/** A field that has one of some values, which an index can find. */
export interface EqualTest {
  readonly field: FieldName;
  readonly values: readonly FieldForm[];
}

export interface RangeTest {
  readonly field: FieldName;
  readonly low: Key | undefined;
  readonly high: Key | undefined;
}

export class Matcher {
  readonly shape: Shape;
  readonly equal: EqualTest[] = [];
  readonly ranges: RangeTest[] = [];
  readonly #others: { field: FieldName; test: (value: FieldForm) => boolean }[] = [];
  /** Of a record: keys that it must have. */
  readonly #keys: readonly string[] | undefined;
  readonly #exact: boolean;
  /** The only test, where there is no other: by far the most frequent case. */
  readonly #single: { field: FieldName; value: Primitive } | undefined;
  /** To be handed on as a function. */
  readonly test = (item: { readonly tuple: TupleForm }): boolean => this.matches(item.tuple);

  /** @param exact a record must have no other keys */
  constructor(template: TemplateForm, exact = false) {
    this.#exact = exact;
    if (Array.isArray(template)) {
      this.shape = template.length;
      for (let field = 0; field < template.length; field++) this.#add(field, template[field]);
    } else {
      this.shape = RECORD;
      this.#keys = Object.keys(template);
      for (const [key, pattern] of Object.entries(template)) this.#add(key, pattern);
    }
    const [first, ...more] = this.equal;
    const [value] = first?.values ?? [];
    const simple = !this.#keys && !more.length && !this.ranges.length && !this.#others.length;
    if (simple && first?.values.length === 1 && typeof value !== 'object' && !Number.isNaN(value))
      this.#single = { field: first.field, value };
  }

  /**
   * Is the test all that there is to it? Then whatever an index finds by it matches, and need not be looked at. Not so for a value
   * that has its place in the index by a text made of it, which another text may be made to look like.
   */
  isOnly(test: EqualTest | RangeTest): boolean {
    if (this.#exact || this.equal.length + this.ranges.length + this.#others.length !== 1) return false;
    if (this.#keys && this.#keys.length !== 1) return false;
    return 'values' in test ? test.values.every(isItsOwnKey) : hasOwnKeysOnly(test);
  }

  /** Of whatever shape. */
  fits(tuple: TupleForm): boolean {
    return shapeOf(tuple) === this.shape && this.matches(tuple);
  }

  /** The shape is taken for granted. */
  matches(tuple: TupleForm): boolean {
    const single = this.#single;
    if (single) return (tuple as Record<FieldName, FieldForm>)[single.field] === single.value;
    if (this.#keys) {
      for (const key of this.#keys) if (!hasField(tuple, key)) return false;
      if (this.#exact && Object.keys(tuple).length !== this.#keys.length) return false;
    }
    for (const { field, values } of this.equal) if (!isOneOf(fieldOf(tuple, field), values)) return false;
    for (const range of this.ranges) if (!within(fieldOf(tuple, range.field), range)) return false;
    for (const { field, test } of this.#others) if (!test(fieldOf(tuple, field))) return false;
    return true;
  }

  #add(field: FieldName, pattern: PatternForm): void {
    if (!Array.isArray(pattern)) {
      this.equal.push({ field, values: [pattern as Primitive] });
      return;
    }
    const [kind, ...more] = pattern as readonly unknown[];
    if (kind === undefined) return;
    if (kind === 'json' || kind === 'same') this.equal.push({ field, values: [pattern as unknown as FieldForm] });
    else if (kind === 'oneOf') this.equal.push({ field, values: checkedList(more[0]) as FieldForm[] });
    else if (kind === 'range') {
      const [low, high] = more as Key[];
      this.ranges.push({ field, low, high });
    } else this.#others.push({ field, test: otherTest(kind, more) });
  }
}

function isOneOf(value: FieldForm, values: readonly FieldForm[]): boolean {
  for (const wanted of values) if (sameValue(value, wanted)) return true;
  return false;
}

export function within(value: FieldForm, { low, high }: RangeTest): value is Key {
  const type = typeof (low ?? high);
  return typeof value === type && (low === undefined || value! >= low) && (high === undefined || value! <= high);
}

/** Those that are made of values come before all texts but a few. */
function hasOwnKeysOnly({ low, high }: RangeTest): boolean {
  return typeof (low ?? high) !== 'string' || (low !== undefined && low >= '\u0001');
}

function checkedList(values: unknown): unknown[] {
  if (Array.isArray(values)) return values;
  throw new UsageError('oneOf takes a list of values');
}

function otherTest(kind: unknown, [what, flags]: readonly unknown[]): (value: FieldForm) => boolean {
  if (kind === 'type') {
    if (what === 'null') return (value) => value === null;
    if (what === 'object') return (value) => typeof value === 'object' && value !== null;
    // Of a class, its subclasses, too; `typeof` is in small letters, and so no class.
    return (value) =>
      typeof value === 'object' && value !== null
        ? value[1].split(' ').includes(what as string)
        : typeof value === what;
  }
  if (kind === 're') {
    // No state from one text to the next.
    const pattern = new RegExp(what as string, (flags as string).replace(/[gy]/g, ''));
    return (value) => typeof value === 'string' && pattern.test(value);
  }
  throw new UsageError(`A template's field says '${String(kind)}', which nobody knows here`);
}
