/**
 * The messages of which there are many, as bytes: their columns in one part, in the order in which they are written here, and after it,
 * where there are any, large values, each as a part of its own, and the parts of a parcel with what is not mere numbers.
 */
import type { CallId, Parcel } from '../../core/index.ts';
import { Column, ColumnReader, packColumns } from './column.ts';
import type { Dependency, Orders, Report, Settlements, Submission } from './messages.ts';
import { largeAmong, type Packed, Pieces } from './pieces.ts';

/** Reads a parcel that was sent in these parts. */
export type ReadRest = <T>(parts: readonly Uint8Array[]) => T;

/** What `tellBytes` takes. Behind the columns is what others have as well. */
type Message = [parts: Uint8Array[], options: { kept: boolean }];

type Extra<T, K extends keyof T> = Partial<Pick<T, K>> & { readonly parcels?: readonly Parcel[] | undefined };

export type MoreOfSubmission = Extra<Submission, 'newFns' | 'newSpecs' | 'runs'>;
export type MoreOfOrders = Extra<Orders, 'newFns' | 'newSpecs'>;
type MoreOfReport = Extra<Report, never>;
type MoreOfSettlements = Extra<Settlements, never>;

const NONE: readonly never[] = [];
const NOTHING = {};
const NOBODY: ReadonlyMap<number, number> = new Map();

export class SubmissionLetter {
  readonly calls = new Column(Uint32Array);
  readonly fns = new Column(Uint32Array);
  readonly specs = new Column(Uint32Array);
  readonly args = new Pieces();
  #dependencies = new Column(Uint32Array);
  #parents = new Column(Uint32Array);
  #about = new Column(Uint32Array);

  /** Of the task that was pushed last. */
  depends({ client, call, as, strict }: Dependency): void {
    const index = this.calls.length - 1;
    this.#dependencies.pushAll(index, client, call, WAYS.indexOf(as) + (strict ? STRICT : 0));
  }

  /** The task that was pushed last, of this one. */
  isPartOf({ client, call }: CallId): void {
    this.#parents.pushAll(this.calls.length - 1, client, call);
  }

  parts(seen: number, more: Parcel | undefined): Message {
    this.#about.push(seen);
    const { calls, fns, specs, args } = this;
    const columns = [this.#about, calls, fns, specs, this.#dependencies, this.#parents];
    return parts(columns, args, more);
  }

  static read(parts: readonly Uint8Array[], rest: ReadRest): Submission {
    const columns = new ColumnReader(parts[0]!, 9);
    const numbers = {
      seen: columns.next(Uint32Array)[0]!,
      calls: columns.next(Uint32Array),
      fns: columns.next(Uint32Array),
      specs: columns.next(Uint32Array),
      dependencies: dependenciesIn(columns.next(Uint32Array)),
      parents: parentsIn(columns.next(Uint32Array)),
    };
    const [args, more] = packedIn<MoreOfSubmission>(columns, parts, rest);
    const { newFns = NONE, newSpecs = NONE, runs = NONE } = more;
    return { ...numbers, args, newFns, newSpecs, runs };
  }
}

export class OrdersLetter {
  readonly clients = new Column(Uint32Array);
  readonly calls = new Column(Uint32Array);
  readonly fns = new Column(Uint32Array);
  readonly specs = new Column(Uint32Array);
  readonly attempts = new Column(Uint32Array);
  readonly announced = new Column(Uint32Array);
  readonly args = new Pieces();
  #about = new Column(Uint32Array);

  parts(slot: number, first: number, patience: number, more: Parcel | undefined): Message {
    this.#about.pushAll(slot, first, patience);
    const { clients, calls, fns, specs, attempts, announced, args } = this;
    return parts([this.#about, clients, calls, fns, specs, attempts, announced], args, more);
  }

  static read(parts: readonly Uint8Array[], rest: ReadRest): Orders {
    const columns = new ColumnReader(parts[0]!, 10);
    const about = columns.next(Uint32Array);
    const numbers = {
      slot: about[0]!,
      first: about[1]!,
      patience: about[2]!,
      clients: columns.next(Uint32Array),
      calls: columns.next(Uint32Array),
      fns: columns.next(Uint32Array),
      specs: columns.next(Uint32Array),
      attempts: columns.next(Uint32Array),
      announced: columns.next(Uint32Array),
    };
    const [args, more] = packedIn<MoreOfOrders>(columns, parts, rest);
    const { newFns = NONE, newSpecs = NONE } = more;
    return { ...numbers, args, newFns, newSpecs };
  }
}

export class ReportLetter {
  readonly tickets = new Column(Uint32Array);
  readonly endings = new Column(Uint8Array);
  readonly started = new Column(Float64Array);
  readonly ran = new Column(Float64Array);
  readonly sizes = new Column(Float64Array);
  readonly returned = new Column(Uint32Array);
  readonly values = new Pieces();
  #told = new Column(Float64Array);
  #about = new Column(Uint32Array);

  /** Of the run that was pushed last: what it has told ends there. */
  tells(end: number): void {
    this.#told.pushAll(this.tickets.length - 1, end);
  }

  parts(slot: number, more: Parcel | undefined): Message {
    this.#about.push(slot);
    const { tickets, endings, started, ran, sizes, returned, values } = this;
    const columns = [this.#about, tickets, endings, started, ran, sizes, returned, this.#told];
    return parts(columns, values, more);
  }

  static read(parts: readonly Uint8Array[], rest: ReadRest): Report {
    const columns = new ColumnReader(parts[0]!, 11);
    const numbers = {
      slot: columns.next(Uint32Array)[0]!,
      tickets: columns.next(Uint32Array),
      endings: columns.next(Uint8Array),
      started: columns.next(Float64Array),
      ran: columns.next(Float64Array),
      sizes: columns.next(Float64Array),
      returned: columns.next(Uint32Array),
      told: toldIn(columns.next(Float64Array)),
    };
    const [values] = packedIn<MoreOfReport>(columns, parts, rest);
    return { ...numbers, values };
  }
}

export class SettlementsLetter {
  readonly calls = new Column(Uint32Array);
  readonly endings = new Column(Uint8Array);
  readonly engines = new Column(Int32Array);
  readonly incarnations = new Column(Uint32Array);
  readonly started = new Column(Float64Array);
  readonly ran = new Column(Float64Array);
  readonly sizes = new Column(Float64Array);
  readonly values = new Pieces();

  parts(more: Parcel | undefined): Message {
    const { calls, endings, engines, incarnations, started, ran, sizes, values } = this;
    return parts([calls, endings, engines, incarnations, started, ran, sizes], values, more);
  }

  static read(parts: readonly Uint8Array[], rest: ReadRest): Settlements {
    const columns = new ColumnReader(parts[0]!, 10);
    const numbers = {
      calls: columns.next(Uint32Array),
      endings: columns.next(Uint8Array),
      engines: columns.next(Int32Array),
      incarnations: columns.next(Uint32Array),
      started: columns.next(Float64Array),
      ran: columns.next(Float64Array),
      sizes: columns.next(Float64Array),
    };
    const [values] = packedIn<MoreOfSettlements>(columns, parts, rest);
    return { ...numbers, values };
  }
}

const WAYS: readonly Dependency['as'][] = ['value', 'after', 'place'];
const STRICT = 4;
/** Numbers that a dependency takes. */
const ROW = 4;

function dependenciesIn(rows: Uint32Array): Submission['dependencies'] {
  const found = new Map<number, Dependency[]>();
  for (let at = 0; at < rows.length; at += ROW) {
    const index = rows[at]!;
    const how = rows[at + 3]!;
    const as = WAYS[how % STRICT]!;
    const one: Dependency = { client: rows[at + 1]!, call: rows[at + 2]!, as, ...(how >= STRICT && { strict: true }) };
    const others = found.get(index);
    if (others) others.push(one);
    else found.set(index, [one]);
  }
  return found;
}

function parentsIn(rows: Uint32Array): Submission['parents'] {
  const found = new Map<number, CallId>();
  for (let at = 0; at < rows.length; at += 3) found.set(rows[at]!, { client: rows[at + 1]!, call: rows[at + 2]! });
  return found;
}

function toldIn(rows: Float64Array): Report['told'] {
  if (!rows.length) return NOBODY;
  const found = new Map<number, number>();
  for (let at = 0; at < rows.length; at += 2) found.set(rows[at]!, rows[at + 1]!);
  return found;
}

function parts(
  numbers: readonly Column[],
  { sizes, bytes, needs, takeLarge }: Pieces,
  more: Parcel | undefined,
): Message {
  const columns = packColumns([...numbers, sizes, bytes, needs]);
  const all = [columns, ...takeLarge(), ...(more?.payload.parts ?? NONE)];
  return [all, all.length > 1 ? KEPT : GIVEN];
}

const KEPT = { kept: true };
const GIVEN = { kept: false };

/** The pieces, and what is behind them. */
function packedIn<T extends { readonly parcels?: readonly Parcel[] | undefined }>(
  columns: ColumnReader,
  parts: readonly Uint8Array[],
  rest: ReadRest,
): [packed: Packed, more: T] {
  const sizes = columns.next(Uint32Array);
  const bytes = columns.next(Uint8Array);
  const needs = columns.next(Uint32Array);
  const count = parts.length > 1 ? largeAmong(sizes) : 0;
  const large = count ? parts.slice(1, 1 + count) : NONE;
  const more = parts.length > 1 + count ? rest<T>(parts.slice(1 + count)) : (NOTHING as T);
  return [{ sizes, bytes, needs, large, parcels: more.parcels ?? NONE }, more];
}
