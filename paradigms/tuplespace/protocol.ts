/**
 * What clients and engines say to the half on the controller, and what it answers: many at a time, in the order in which they were
 * asked for. See `docs/concepts/tuple-space.md` for the whole of it.
 *
 * A taken tuple goes three ways: the controller sets it aside and sends it; the taker says that it has it (`taken`) or does not want it
 * any more (`returned`); only then is it gone for good, or back in its place.
 */
import type { TemplateForm, TupleForm } from './forms.ts';

export const Op = {
  open: 0,
  out: 1,
  take: 2,
  read: 3,
  tryTake: 4,
  tryRead: 5,
  takeAll: 6,
  readAll: 7,
  count: 8,
  collect: 9,
  exchange: 10,
  /** Of a request that waits. */
  cancel: 11,
  /** Of a tuple's lease. */
  renew: 12,
  revoke: 13,
  /** Of a reservation. */
  settle: 14,
  info: 15,
  list: 16,
  destroy: 17,
  outMany: 18,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

export interface RequestOptions {
  timeout?: number;
  exact?: boolean;
  /** Of tuples: how long they stay. */
  lease?: number;
  /** `out` is answered when somebody has read or taken it. */
  ack?: boolean;
  /** A reservation: in ms, or `Infinity`. */
  hold?: number;
  limit?: number;
}

export interface OpenOptions {
  order?: 'fifo' | 'lifo' | 'random';
  durable?: boolean;
  bound?: number;
  /** False: it has to be there. */
  create?: boolean;
}

/**
 * One request after the other, each as `op, id, space, what, options`, without lists of their own: building and reading these would
 * cost more than all else. `space` is a number that the asker has given to it with `open`. `taken` and `returned` are the ids of
 * requests whose tuples have arrived, or are not wanted any more.
 */
export type Batch = readonly [requests: readonly unknown[], taken: readonly number[], returned: readonly number[]];
export const REQUEST_WIDTH = 5;

export const Status = {
  done: 0,
  /** Tuples that the asker has to acknowledge. */
  taken: 1,
  failed: 2,
} as const;

/** One after the other: `id, status, value`. Of `failed`: the name of an error's class, and its message. */
export type Answers = readonly unknown[];
export const ANSWER_WIDTH = 3;

export interface ExchangeForm {
  readonly takes: readonly TemplateForm[];
  readonly outs: readonly TupleForm[];
}

/** What happens to tuples, as those who watch are told. */
export type EventKind = 'write' | 'take' | 'expire';
export const EVENT_KINDS: readonly EventKind[] = ['write', 'take', 'expire'];

/** Counted for each watch, those that it was too slow for included. */
export type EventForm = readonly [seq: number, kind: EventKind, tuple: TupleForm];
