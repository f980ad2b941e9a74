/**
 * How tuples lie in the journal: those of a batch in one record, and what has become of them since in another one, which is small. As
 * JSON where that keeps all of it, which is several times faster; else as Node does it, whose first byte is none of JSON.
 */
import { deserialize, serialize } from 'node:v8';
import { Parcel } from '../../core/index.ts';
import type { FieldForm, TupleForm } from './forms.ts';

/** A tuple, and in ms of the calendar when it expires. */
export interface Row {
  /** How far its number is from that of the batch's first. */
  readonly offset: number;
  readonly tuple: TupleForm;
  readonly expires: number | null;
}

/** What has become of a batch since it was written. */
export interface Notes {
  /** By offset; what lies beyond is gone. */
  isThere(offset: number): boolean;
  /** How many are there. */
  readonly count: number;
  /** New ends of leases, by offset. */
  readonly leases: ReadonlyMap<number, number | null>;
}

/** Offsets and leases are left out where they say nothing. */
type Columns = readonly [
  offsets: readonly number[] | 0,
  leases: readonly (number | null)[] | 0,
  tuples: readonly unknown[],
];

export function packRows(rows: readonly Row[]): Uint8Array {
  const offsets = rows.at(-1)!.offset === rows.length - 1 ? 0 : rows.map(({ offset }) => offset);
  const leases = rows.every(({ expires }) => expires === null) ? 0 : rows.map(({ expires }) => expires);
  const columns = (tuple: (row: Row) => unknown): Columns => [offsets, leases, rows.map(tuple)];
  if (rows.every(isJson)) return Buffer.from(JSON.stringify(columns(({ tuple }) => tuple)));
  return serialize(columns(({ tuple }) => packed(tuple)));
}

export function readRows(bytes: Uint8Array): Row[] {
  const isText = bytes[0] === OPENING;
  const [offsets, leases, tuples] = (isText ? JSON.parse(text(bytes)) : deserialize(bytes)) as Columns;
  return tuples.map((tuple, i) => ({
    offset: offsets ? offsets[i]! : i,
    tuple: isText ? (tuple as TupleForm) : unpacked(tuple as TupleForm),
    expires: leases ? leases[i]! : null,
  }));
}

/** @param there offsets of what is there still, in their order, one at least. */
export function packNotes(
  there: readonly number[],
  leases: readonly (readonly [offset: number, expires: number | null])[],
): Uint8Array {
  const bits = Buffer.alloc((there.at(-1)! >> 3) + 1);
  for (const offset of there) bits[offset >> 3]! |= 1 << (offset & 7);
  return Buffer.from(JSON.stringify([bits.toString('base64'), leases]));
}

export function readNotes(bytes: Uint8Array): Notes {
  const [base64, leases] = JSON.parse(text(bytes)) as [string, [number, number | null][]];
  const bits = Buffer.from(base64, 'base64');
  let count = 0;
  for (let byte of bits) for (; byte; byte &= byte - 1) count++;
  return {
    isThere: (offset) => ((bits[offset >> 3] ?? 0) & (1 << (offset & 7))) !== 0,
    count,
    leases: new Map(leases),
  };
}

const OPENING = '['.charCodeAt(0);

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function isJson({ tuple }: Row): boolean {
  if (Array.isArray(tuple)) return tuple.every(isJsonField);
  return Object.values(tuple).every(isJsonField);
}

function isJsonField(form: FieldForm): boolean {
  if (typeof form === 'number') return Number.isFinite(form) && !Object.is(form, -0);
  if (typeof form === 'string') return (form as unknown as { isWellFormed(): boolean }).isWellFormed();
  return typeof form === 'boolean' || form === null || (typeof form === 'object' && form[0] === 'json');
}

function packed(tuple: TupleForm): unknown {
  return mapForms(tuple, (form) => {
    if (typeof form !== 'object' || form?.[0] !== 'parcel') return form;
    const { payload, code, needs } = form[3];
    return [form[0], form[1], form[2], { payload, code, needs }];
  });
}

function unpacked(fields: TupleForm): TupleForm {
  return mapForms(fields, (form) => {
    if (typeof form !== 'object' || form?.[0] !== 'parcel') return form;
    const { payload, code, needs } = form[3];
    // Copied: one tuple would keep the memory of all that were written with it.
    const parts = payload.parts.map((part) => new Uint8Array(part));
    return [form[0], form[1], form[2], new Parcel({ ...payload, parts }, code, needs)];
  }) as TupleForm;
}

function mapForms(tuple: TupleForm, map: (form: FieldForm) => unknown): unknown {
  const plain = Array.isArray(tuple) ? tuple : Object.values(tuple);
  if (!plain.some((form) => typeof form === 'object' && form !== null)) return tuple;
  if (Array.isArray(tuple)) return tuple.map(map);
  return Object.fromEntries(Object.entries(tuple).map(([key, form]) => [key, map(form)]));
}
