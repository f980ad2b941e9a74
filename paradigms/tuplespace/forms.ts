/**
 * Tuples and templates as they travel and are kept. What a template must see of a field is plain to see, and all else of it is closed:
 * whoever keeps and matches tuples never builds a user's value. All forms but parcels have an exact form in JSON, too, as far as
 * their primitives have one.
 */
import type { Parcel } from '../../core/index.ts';

export type Primitive = string | number | boolean | bigint | null | undefined;

/** A value that is none of the primitives. Fields of tuples are no lists otherwise, so there is no doubt. */
export type Sealed =
  /** What JSON keeps exactly: a small object or list. */
  | readonly ['json', kind: string, text: string]
  /** Anything else. Equal values have equal digests; kinds are the names of its classes, the closest first. */
  | readonly ['parcel', kinds: string, digest: string, parcel: Parcel];

export type FieldForm = Primitive | Sealed;
export type TupleForm = readonly FieldForm[] | { readonly [key: string]: FieldForm };

/** What a template says of a field; `[]` is anything. */
export type PatternForm =
  | FieldForm
  | readonly []
  | readonly ['same', kinds: string, digest: string]
  /** `typeof` of a primitive, the name of a class, or `object` for all but primitives. */
  | readonly ['type', name: string]
  | readonly ['range', low: Primitive, high: Primitive]
  | readonly ['oneOf', values: readonly PatternForm[]]
  | readonly ['re', source: string, flags: string];
export type TemplateForm = readonly PatternForm[] | { readonly [key: string]: PatternForm };

const canonical = new Map<string, string>();
const REMEMBERED = 256;

/** What is the same for equal values and, but for texts made to look like it, for them alone: what indexes are made over. */
export function keyOf(field: FieldForm): unknown {
  if (typeof field !== 'object' || field === null) return field;
  return `\0${field[0]} ${field[1]} ${field[0] === 'json' ? canonicalText(field[2]) : field[2]}`;
}

/** Has no other value the same key? */
export function isItsOwnKey(field: FieldForm): boolean {
  return typeof field === 'string' ? !field.startsWith('\0') : typeof field !== 'object' || field === null;
}

export function sameValue(a: FieldForm, b: FieldForm | readonly ['same', string, string]): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    return a === b || (typeof a === 'number' && Number.isNaN(a) && Number.isNaN(b as number));
  }
  if (a[1] !== b[1]) return false;
  if (a[0] === 'parcel' || b[0] !== 'json') return a[0] === 'parcel' && b[0] !== 'json' && a[2] === b[2];
  if (a[2] === b[2]) return true;
  // The order of keys is all that may differ.
  return a[2].length === b[2].length && canonicalText(a[2]) === canonicalText(b[2]);
}

/** With the keys of objects in order. */
function canonicalText(text: string): string {
  let known = canonical.get(text);
  if (known === undefined) {
    known = JSON.stringify(JSON.parse(text), (_, value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
    if (canonical.size >= REMEMBERED) canonical.clear();
    canonical.set(text, known);
  }
  return known;
}

/** Bytes of what it holds, about: for those who bound what they keep. */
export function weightOf(tuple: TupleForm): number {
  let bytes = 0;
  for (const field of Array.isArray(tuple) ? tuple : Object.values(tuple)) {
    if (typeof field === 'string') bytes += field.length;
    else if (typeof field === 'object' && field !== null)
      bytes += field[0] === 'json' ? field[2].length : field[3].bytes;
    bytes += 8;
  }
  return bytes;
}
