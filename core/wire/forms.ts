/**
 * What stands in a payload for a thing that cannot simply be copied: a function, a pending result, a name in the
 * engine's namespace. The codec asks hooks to turn such things into forms (sender) and forms into things (receiver).
 */
export type Form =
  /** A closure: source text known by its hash, and the values of its captured names (walked like any value). */
  | { kind: 'code'; hash: string; name: string; captures: Record<string, unknown> }
  /** One export of a module that travels as a bundle, known by the hash of its text. `null`: the module's namespace. */
  | { kind: 'module'; hash: string; export: string | null }
  /** One export of a module that the receiver has itself, e.g. `node:fs` / `readFileSync`. */
  | { kind: 'builtin'; module: string; export: string | null }
  /** The value of `needs[index]` of the envelope. */
  | { kind: 'need'; index: number }
  /** An expression, evaluated in the receiver's namespace. */
  | { kind: 'ref'; expression: string }
  /** Another value, to be walked in place of this one. */
  | { kind: 'value'; value: unknown };

export interface EncodeHooks {
  /** Asked for every function, and for every object that is neither plain nor of a class the codec knows. `undefined`: not mine. */
  form(value: object, path: string): Form | undefined;
}

export interface DecodeHooks {
  /**
   * The thing itself. For `code`, `captures` holds the values that are complete already; names that wait for a cycle to
   * close are absent, and `bind` is called with all of them once every form of the payload has been revived.
   */
  revive(form: Form): { value: unknown; bind?(captures: Record<string, unknown>): void };
}

/** A user value on the wire: a codec's body first, then its out-of-band segments. */
export interface Payload {
  codec: 'msgpack' | 'json' | 'raw';
  parts: Uint8Array[];
}

/** The same payload over memory of its own; shared memory stays shared. */
export function copyOf({ codec, parts }: Payload): Payload {
  return {
    codec,
    parts: parts.map((part) => (part.buffer instanceof SharedArrayBuffer ? part : new Uint8Array(part))),
  };
}
