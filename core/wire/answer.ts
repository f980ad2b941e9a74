/**
 * What goes back comes in the codec of the first payload of what it answers, so that a client in another language need
 * only read the codec that it writes.
 */
import { CannotTravelError } from '../errors.ts';
import { textOf } from './bytes.ts';
import { encode } from './codec.ts';
import { classNames } from './error-codec.ts';
import type { Payload } from './forms.ts';

export type AnswerCodec = 'msgpack' | 'json';

export function answerCodec(asked: readonly Payload[]): AnswerCodec {
  return asked[0]?.codec === 'json' ? 'json' : 'msgpack';
}

/** In JSON, which has no `undefined`, an answer without a value is `null`. Throws CannotTravelError. */
export function encodeAnswer(value: unknown, root: string, codec: AnswerCodec): Payload {
  return encode(value === undefined && codec === 'json' ? null : value, { root, codec });
}

/** What was thrown. In JSON errors become `{ name, message, code, stack, classes }`, as far as they have them, and so does anything else. */
export function encodeThrown(thrown: unknown, codec: AnswerCodec): Payload {
  if (codec === 'msgpack') return encode(thrown, { root: 'error' });
  return encode(thrown instanceof Error ? plainError(thrown) : { name: 'Error', message: shown(thrown) }, { codec });
}

function plainError(error: Error): Record<string, unknown> {
  const { name, message, code, stack } = error as Error & { code?: unknown };
  const fields = Object.entries({ name, message, code, stack });
  const texts = Object.fromEntries(fields.filter(([, text]) => typeof text === 'string'));
  return { ...texts, classes: classNames(error) };
}

function shown(thrown: unknown): string {
  try {
    return `threw ${textOf(encode(thrown, { codec: 'json' }).parts[0]!)}, not an Error`;
  } catch (error) {
    if (!(error instanceof CannotTravelError)) throw error;
    return `threw ${typeof thrown}, not an Error`;
  }
}
