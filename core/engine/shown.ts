/** Values of statements on their way back: themselves, or what stands for those that cannot travel. */
import { inspect } from 'node:util';
import { CannotTravelError } from '../errors.ts';
import { offeredText } from '../offered-text.ts';
import { Opaque } from '../opaque.ts';
import { type AnswerCodec, encodeAnswer } from '../wire/answer.ts';
import { encode } from '../wire/codec.ts';
import type { Payload } from '../wire/forms.ts';

/** Console statements never fail for what their value is: the statement has run already. */
export function encodeShown(value: unknown, codec: AnswerCodec): Payload {
  return orShown(value, (v) => encodeAnswer(codec === 'json' && v instanceof Opaque ? v.text : v, 'result', codec));
}

/** A value that can travel: itself, or what stands for it. */
export function travelling(value: unknown): unknown {
  return orShown(value, (v) => {
    encode(v);
    return v;
  });
}

function orShown<T>(value: unknown, attempt: (value: unknown) => T): T {
  try {
    return attempt(value);
  } catch (error) {
    if (!(error instanceof CannotTravelError)) throw error;
    return attempt(new Opaque(offeredText(value) ?? inspect(value, { depth: 2 })));
  }
}
