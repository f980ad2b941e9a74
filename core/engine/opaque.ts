/** Stands for the value of a statement that cannot leave its engine, such as a function: what it looks like there. */
import { inspect } from 'node:util';
import { CannotTravelError } from '../errors.ts';
import { type AnswerCodec, encodeAnswer } from '../wire/answer.ts';
import { registerClass } from '../wire/classes.ts';
import { encode } from '../wire/codec.ts';
import type { Payload } from '../wire/forms.ts';

export class Opaque {
  /** As the engine's console would print it. */
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.text;
  }
}

registerClass(Opaque, { name: 'tutti.Opaque', encode: (o) => o.text, decode: (text) => new Opaque(String(text)) });

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
    return attempt(new Opaque(inspect(value, { depth: 2 })));
  }
}
