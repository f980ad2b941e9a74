/** A tuple in a space. */
import type { Batch } from '../batch.ts';
import type { Deadline } from '../deadlines.ts';
import type { FieldForm, TupleForm } from '../forms.ts';
import type { Placed } from './seq-list.ts';

export class Entry implements Placed {
  /** Counts up in the order of `out`. */
  readonly seq: number;
  readonly tuple: TupleForm;
  alive = false;
  /** When it expires. */
  lease: Deadline | undefined = undefined;
  /** Told when somebody has read or taken it, or its time is over before. */
  noticed: ((expired: boolean) => void) | undefined = undefined;
  /** Where the journal has it, if not in a record of its own. */
  batch: Batch | undefined = undefined;

  constructor(seq: number, tuple: TupleForm) {
    this.seq = seq;
    this.tuple = tuple;
  }
}

/** Which tuples can match at all: those with so many fields, or records. */
export type Shape = number;
export const RECORD: Shape = -1;

export function shapeOf(tuple: TupleForm): Shape {
  return Array.isArray(tuple) ? tuple.length : RECORD;
}

/** A position, or a record's key. */
export type FieldName = number | string;

/** Undefined is a value like others: `hasField` says whether it is there. */
export function fieldOf(tuple: TupleForm, field: FieldName): FieldForm {
  return (tuple as Record<FieldName, FieldForm>)[field];
}

export function hasField(tuple: TupleForm, field: FieldName): boolean {
  return Array.isArray(tuple) || Object.hasOwn(tuple, field);
}
