/** From a user's tuples and templates to their forms, and back: in clients and on engines. */
import { CannotTravelError, type Parcel, UsageError } from '../../core/index.ts';
import { digest, kindsOf } from './digest.ts';
import { isField } from './fields.ts';
import type { FieldForm, PatternForm, Sealed, TemplateForm, TupleForm } from './forms.ts';

export interface Sealer {
  parcel<T>(value: T): Parcel<T>;
  open<T>(parcel: Parcel<T>): Promise<T>;
}

/** A text of so many characters is still something to look into; what is longer goes as it is. */
const LONGEST_JSON = 2_000;
/** Values in it, for the same reason. */
const MOST_VALUES = 200;

/** A copy: what becomes of the value later is not seen. Throws CannotTravelError, and UsageError for what is no tuple. */
export function sealTuple(tuple: unknown, sealer: Sealer): TupleForm {
  return mapFields(tuple, 'tuple', (value, path) => seal(value, path, sealer)) as TupleForm;
}

export function sealTemplate(template: unknown, sealer: Sealer): TemplateForm {
  return mapFields(template, 'template', (value, path) => pattern(value, path, sealer)) as TemplateForm;
}

/** Without a promise where there is nothing to wait for: most tuples have nothing that must be opened. */
export function openTuple(tuple: TupleForm, sealer: Sealer): unknown {
  const waiting: Promise<void>[] = [];
  const open = (form: FieldForm, put: (value: unknown) => void): void => {
    if (typeof form !== 'object' || form === null) put(form);
    else if (form[0] === 'json') put(JSON.parse(form[2]));
    else waiting.push(sealer.open(form[3]).then(put));
  };
  let opened: unknown[] | Record<string, unknown>;
  if (Array.isArray(tuple)) {
    const fields: unknown[] = (opened = new Array(tuple.length));
    for (let i = 0; i < tuple.length; i++) open(tuple[i], (value) => void (fields[i] = value));
  } else {
    const fields: Record<string, unknown> = (opened = {});
    for (const [key, form] of Object.entries(tuple)) {
      fields[key] = undefined; // the order of keys is that of the form
      open(form, (value) => void (fields[key] = value));
    }
  }
  return waiting.length ? Promise.all(waiting).then(() => opened) : opened;
}

function mapFields(given: unknown, what: string, form: (value: unknown, path: string) => PatternForm): TemplateForm {
  if (Array.isArray(given)) {
    if (!given.length && what === 'tuple') throw new UsageError('A tuple has one field at least; got []');
    const fields: PatternForm[] = new Array(given.length);
    for (let i = 0; i < given.length; i++) fields[i] = form(given[i], what);
    return fields;
  }
  const prototype = typeof given === 'object' && given !== null ? Object.getPrototypeOf(given) : undefined;
  if (prototype !== Object.prototype && prototype !== null)
    throw new UsageError(
      `A ${what} is a list, e.g. ['job', 1], or a record, e.g. { kind: 'job', n: 1 }; got ${shown(given)}`,
    );
  const entries = Object.entries(given as object);
  if (!entries.length && what === 'tuple') throw new UsageError('A tuple has one field at least; got {}');
  return Object.fromEntries(entries.map(([key, value]) => [key, form(value, what)]));
}

function seal(value: unknown, path: string, sealer: Sealer): FieldForm {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
    case 'bigint':
      return value;
    case 'object':
      return value === null ? null : sealed(value, path, sealer);
    default:
      throw new CannotTravelError(
        `A ${typeof value} cannot be in a ${path}: ${shown(value)}. Tuples hold data; put a name or a number in its place`,
        path,
      );
  }
}

function sealed(value: object, path: string, sealer: Sealer): Sealed {
  if (isField(value)) throw new UsageError(`${value} is for templates, and cannot be in a ${path}`);
  const text = exactJson(value);
  if (text !== undefined) return ['json', Array.isArray(value) ? 'Array' : 'Object', text];
  const parcel = sealer.parcel(value);
  if (parcel.code.length || parcel.needs.length)
    throw new CannotTravelError(
      `A ${path} holds a function, or a result that is pending; tuples hold data: await it, or put a name in its place`,
      path,
    );
  refuseFields(value, path);
  return ['parcel', kindsOf(value), digest(value), parcel];
}

function pattern(value: unknown, path: string, sealer: Sealer): PatternForm {
  if (!isField(value)) {
    const form = seal(value, path, sealer);
    // What is in it does not matter to whoever compares.
    return typeof form === 'object' && form?.[0] === 'parcel' ? ['same', form[1], form[2]] : form;
  }
  if (value.kind === 'any') return [];
  if (value.kind === 'oneOf') return ['oneOf', value.args.map((arg) => pattern(notAField(arg), path, sealer))];
  return [value.kind, ...value.args] as unknown as PatternForm;
}

function notAField(value: unknown): unknown {
  if (isField(value)) throw new UsageError(`t.oneOf takes values; got ${value}`);
  return value;
}

/** In the midst of a value they would be data like any other, and match nothing. */
function refuseFields(value: object, path: string): void {
  const nested = Object.values(value).find(isField);
  if (nested)
    throw new UsageError(`${nested} stands for a whole field of a template, and is inside of one in this ${path}`);
}

/** As JSON, if that keeps all of it and is short; the text has the same length for all equal values. */
function exactJson(value: object): string | undefined {
  const seen: object[] = [];
  let left = MOST_VALUES;
  const exact = (item: unknown): boolean => {
    if (--left < 0) return false;
    switch (typeof item) {
      case 'string':
        return item.length <= LONGEST_JSON && (item as unknown as { isWellFormed(): boolean }).isWellFormed();
      case 'number':
        return Number.isFinite(item) && !Object.is(item, -0);
      case 'boolean':
        return true;
      case 'object':
        break;
      default:
        return false;
    }
    if (item === null) return true;
    if (seen.includes(item)) return false;
    seen.push(item);
    const prototype = Object.getPrototypeOf(item);
    if (prototype === Array.prototype) {
      const list = item as unknown[];
      if (Object.keys(list).length !== list.length) return false;
      return list.every(exact);
    }
    if (prototype !== Object.prototype || Object.getOwnPropertySymbols(item).length) return false;
    return Object.keys(item).every(
      (key) => key !== '__proto__' && key !== 'toJSON' && exact(key) && exact((item as any)[key]),
    );
  };
  if (!exact(value)) return undefined;
  const text = JSON.stringify(value);
  return text.length <= LONGEST_JSON ? text : undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'function') return value.name || 'a function';
  if (typeof value === 'object' && value !== null) return `an instance of ${kindsOf(value)}`;
  return String(value);
}
