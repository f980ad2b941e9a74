/** A value on its way through a place that does not read it. */
import { ParadigmError, ProtocolError } from '../errors.ts';
import { registerClass } from '../wire/classes.ts';
import type { Need } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

const PARCEL = Symbol.for('tutti.parcel');

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

  constructor(
    payload: Payload,
    code: readonly string[] = [],
    needs: readonly Need[] = [],
    holds: readonly unknown[] = [],
  ) {
    this.payload = payload;
    this.code = code;
    this.needs = needs;
    this.holds = holds;
  }

  /** Size in bytes. */
  get bytes(): number {
    return this.payload.parts.reduce((sum, part) => sum + part.byteLength, 0);
  }
}

type Plain = [codec: Payload['codec'], parts: Uint8Array[], code?: readonly string[], needs?: readonly Need[]];

registerClass(Parcel, {
  name: 'tutti.Parcel',
  encode: ({ payload, code, needs }): Plain =>
    code.length || needs.length ? [payload.codec, payload.parts, code, needs] : [payload.codec, payload.parts],
  decode: (plain: Plain) => {
    const [codec, parts, code = [], needs = []] = plain;
    const sound =
      ['msgpack', 'json', 'raw'].includes(codec) &&
      [parts, code, needs].every(Array.isArray) &&
      parts.every((part) => part instanceof Uint8Array) &&
      code.every((hash) => typeof hash === 'string');
    if (!sound) throw new ProtocolError('A parcel that makes no sense');
    return new Parcel({ codec, parts }, code, needs);
  },
});

/** @throws ParadigmError for anything else. */
export function asParcel<T>(value: unknown): Parcel<T> {
  if (typeof value === 'object' && value !== null && PARCEL in value) return value as Parcel<T>;
  throw new ParadigmError('open takes what host.parcel has made');
}
