/** Stands for the value of a statement that cannot leave its engine, such as a function: what it looks like there. */
import { registerClass } from './wire/classes.ts';

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
