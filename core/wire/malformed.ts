import { ProtocolError } from '../errors.ts';

/** A payload whose bytes are msgpack, but whose table makes no sense. */
export function malformed(what: string): ProtocolError {
  return new ProtocolError(`A payload makes no sense: ${what}.`);
}
