/**
 * User values on the wire. Everything that JavaScript calls data arrives as it was: undefined, -0, bigints, Dates, Maps,
 * cycles, shared identity, typed arrays, errors with their class. What cannot travel is refused with its path.
 */
import { ProtocolError, TuttiError } from '../errors.ts';
import type { DecodeHooks, EncodeHooks, Payload } from './forms.ts';
import { decodeJson, encodeJson } from './json-codec.ts';
import { isPlain, weighAnew, weight } from './plain.ts';
import { Escaped, revive } from './revive.ts';
import { isPlainBody, lendPlain, packPlain, packTable, type TakeBytes, unpackBody, unpackPlain } from './slot.ts';
import { walk } from './walk.ts';

export { type ClassCodec, registerClass } from './classes.ts';
export { registerErrorClass } from './error-codec.ts';
export { share, transfer } from './ownership.ts';

export interface EncodeOptions {
  /** The name that paths in errors start with; `value` by default. */
  root?: string;
  hooks?: EncodeHooks | undefined;
  codec?: 'msgpack' | 'json';
  /** No snapshot: large parts are the memory of the value itself, which must not change until they have been sent. */
  borrow?: boolean;
  /** No copies of memory in instances of immutable classes: others have it as well, and nobody may be given it. */
  lend?: boolean;
  /** The payload is for sessions alone: memory that was taken for it is used again once every peer has it. */
  passing?: boolean;
}

/**
 * A snapshot of a value: the caller may change it right away. Large arrays become parts of their own, copied once (or
 * moved, inside `transfer`). A part that fills its ArrayBuffer belongs to the payload alone; memory of
 * SharedArrayBuffers, and small bodies, are shared with others. Throws CannotTravelError, before anything was moved.
 */
export function encode(value: unknown, options: EncodeOptions = {}): Payload {
  const root = options.root ?? 'value';
  if (options.codec === 'json') return { codec: 'json', parts: [encodeJson(value, root)] };
  weighAnew();
  if (isPlain(value)) return { codec: 'msgpack', parts: [packPlain(value, weight, options.passing)] };
  weighAnew();
  const walked = walk(value, root, options.hooks);
  const body = packTable(walked.root, walked.table, weight, options.passing);
  return { codec: 'msgpack', parts: [body, ...walked.memories.take(options)] };
}

/**
 * For small values, many of them: gives the bytes of a plain value to `take`, which must copy them at once. False: the value is not
 * plain, and `encode` has to see it.
 */
export function encodePlain(value: unknown, take: TakeBytes): boolean {
  weighAnew();
  if (!isPlain(value)) return false;
  lendPlain(value, weight, take);
  return true;
}

/** A value that lies among other bytes. Throws as `decode` does. */
export function decodeWithin(bytes: Uint8Array, from: number, size: number, hooks?: DecodeHooks): unknown {
  if (size && isPlainBody(bytes, from)) {
    try {
      return unpackPlain(bytes, from, from + size);
    } catch {
      // `decode` says what is wrong.
    }
  }
  return decode({ codec: 'msgpack', parts: [bytes.subarray(from, from + size)] }, hooks);
}

/**
 * The value again; it owns the parts. Throws ProtocolError when the bytes make no sense, and what hooks throw.
 */
export function decode(payload: Payload, hooks?: DecodeHooks): unknown {
  const { codec, parts } = payload;
  try {
    if (codec === 'raw') return parts.length === 1 ? parts[0] : joined(parts);
    const body = parts[0];
    if (!body) throw new ProtocolError('A payload without a body.');
    if (codec === 'json') return decodeJson(body);
    if (codec !== 'msgpack') throw new ProtocolError(`A payload in an unknown codec: ${String(codec)}.`);
    const [root, table] = unpackBody(body);
    return table ? revive(root, table, parts, hooks) : root;
  } catch (error) {
    if (error instanceof Escaped) throw error.error;
    if (error instanceof TuttiError) throw error;
    // msgpackr goes on with what it has read: a user's value, which is nobody else's business.
    const why = (error instanceof Error ? error.message : String(error)).replace(/(buffer not reached).*/s, '$1');
    throw new ProtocolError(`A ${codec} payload of ${payloadBytes(payload)} bytes makes no sense: ${why}`, {
      cause: error,
    });
  }
}

/** The size of a payload in bytes, all parts together. */
export function payloadBytes(payload: Payload): number {
  let bytes = 0;
  for (const part of payload.parts) bytes += part.byteLength;
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
