/** A value on its way through a place that does not read it. */
import { ParadigmError, ProtocolError } from '../errors.ts';
import { registerClass } from '../wire/classes.ts';
import { type Need, UNPLACED } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

const PARCEL = Symbol.for('tutti.parcel');

/** How values are encoded that parcels may be in: those are passed on as they are. */
export const LEND = { lend: true } as const;

/** A pending result that a value waits for; without an engine, only its client will know where it is made. */
export interface Waited {
  readonly client: number;
  readonly call: number;
  readonly engine?: number;
  readonly incarnation?: number;
}

/** Where a result is known to be made. */
export interface Place {
  readonly engine: number;
  readonly incarnation: number;
  readonly settled?: boolean;
}

/** Opaque; `host.open` reads it. It can be passed on, kept, sent twice, and stored. */
export class Parcel<_T = unknown> {
  /** Another copy of this package may have made it. */
  readonly [PARCEL] = true;
  /** For tutti's own use. */
  readonly payload: Payload;
  readonly code: readonly string[];
  readonly needs: readonly Need[];
  /** What must stay alive here as long as the parcel does. */
  readonly holds: readonly unknown[];
  /** Texts of its code, where it must not depend on whom it comes from. */
  readonly texts: readonly string[] | undefined;
  /** Of pending results in it, what has come by now: by their index in `needs`. */
  readonly values: readonly (Payload | undefined)[] | undefined;

  constructor(
    payload: Payload,
    code: readonly string[] = [],
    needs: readonly Need[] = [],
    holds: readonly unknown[] = [],
    texts?: readonly string[],
    values?: readonly (Payload | undefined)[],
  ) {
    this.payload = payload;
    this.code = code;
    this.needs = needs;
    this.holds = holds;
    this.texts = texts;
    this.values = values;
  }

  /** Of what is in one piece, and needs neither code nor other results. */
  static of(bytes: Uint8Array): Parcel {
    return new Parcel({ codec: 'msgpack', parts: [bytes] });
  }

  /** Its bytes, for `Parcel.of`, if it is in one piece and needs neither code nor other results. */
  get flat(): Uint8Array | undefined {
    const { payload, code, needs } = this;
    const flat = payload.codec === 'msgpack' && payload.parts.length === 1 && !code.length && !needs.length;
    return flat ? payload.parts[0] : undefined;
  }

  /** The pending results in it. */
  get waitsFor(): readonly Waited[] {
    return this.needs.map(({ client, call, engine, incarnation }) =>
      engine === UNPLACED ? { client, call } : { client, call, engine, incarnation },
    );
  }

  /** The same, with what is known by now of the place of each pending result. */
  placed(where: (need: Waited) => Place | undefined): Parcel<_T> {
    const needs = this.needs.map((need) => ({ ...need, ...where(need) }));
    return new Parcel(this.payload, this.code, needs, this.holds, this.texts, this.values);
  }

  /** The same, where other ids stand for the clients whose results are in it. */
  renamed(clientOf: (need: Waited) => number): Parcel<_T> {
    const needs = this.needs.map((need) => ({ ...need, client: clientOf(need) }));
    return new Parcel(this.payload, this.code, needs, this.holds, this.texts, this.values);
  }

  /** The same, with the texts of its code. */
  whole(textOf: (hash: string) => string): Parcel<_T> {
    if (!this.code.length || this.texts) return this;
    return new Parcel(this.payload, this.code, this.needs, this.holds, this.code.map(textOf), this.values);
  }

  /** The same, with the values of those that have come: nobody need ask for them any more. */
  filled(find: (need: Waited) => Parcel | undefined): Parcel<_T> {
    const values = this.needs.map((need) => find(need)?.payload);
    if (!values.some((value) => value)) return this;
    return new Parcel(this.payload, this.code, this.needs, this.holds, this.texts, values);
  }

  /** Size in bytes. */
  get bytes(): number {
    return this.payload.parts.reduce((sum, part) => sum + part.byteLength, 0);
  }
}

type Plain = [
  codec: Payload['codec'],
  parts: Uint8Array[],
  code?: readonly string[],
  needs?: readonly Need[],
  texts?: readonly string[] | null,
  values?: readonly (readonly [codec: Payload['codec'], parts: Uint8Array[]] | null)[],
];

registerClass(Parcel, {
  name: 'tutti.Parcel',
  encode: ({ payload: { codec, parts }, code, needs, texts, values }): Plain => {
    if (values) {
      const plain = values.map((value) => (value ? ([value.codec, value.parts] as const) : null));
      return [codec, parts, code, needs, texts ?? null, plain];
    }
    if (texts) return [codec, parts, code, needs, texts];
    return code.length || needs.length ? [codec, parts, code, needs] : [codec, parts];
  },
  decode: (plain: Plain) => {
    const [codec, parts, code = [], needs = [], texts, values] = plain;
    const sound =
      isPayload([codec, parts]) &&
      [code, needs].every(Array.isArray) &&
      code.every((hash) => typeof hash === 'string') &&
      (!texts ||
        (Array.isArray(texts) && texts.length === code.length && texts.every((one) => typeof one === 'string'))) &&
      (!values || (Array.isArray(values) && values.every((value) => value === null || isPayload(value))));
    if (!sound) throw new ProtocolError('A parcel that makes no sense');
    const come = values?.map((value) => (value ? { codec: value[0], parts: value[1] } : undefined));
    return new Parcel({ codec, parts }, code, needs, [], texts ?? undefined, come);
  },
  immutable: true,
});

function isPayload([codec, parts]: readonly [unknown, unknown]): boolean {
  return (
    ['msgpack', 'json', 'raw'].includes(codec as string) &&
    Array.isArray(parts) &&
    parts.every((part) => part instanceof Uint8Array)
  );
}

/** @throws ParadigmError for anything else. */
export function asParcel<T>(value: unknown): Parcel<T> {
  if (typeof value === 'object' && value !== null && PARCEL in value) return value as Parcel<T>;
  throw new ParadigmError('open takes what host.parcel has made');
}
