/** Stands for the value of a statement that cannot leave its engine, such as a function: what it looks like there. */
import { inspect } from 'node:util';
import { CannotTravelError } from '../errors.ts';
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
export function encodeShown(value: unknown): Payload {
  try {
    return encode(value, { root: 'result' });
  } catch (error) {
    if (!(error instanceof CannotTravelError)) throw error;
    return encode(new Opaque(inspect(value, { depth: 2 })));
  }
}
