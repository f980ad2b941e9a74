/** Code that clients have sent, by its hash, for engines that have not seen it or have dropped it. It lives as long as an owner. */
import { ProtocolError } from '../errors.ts';
import { codeHash } from '../wire/code-hash.ts';
import { payloadBytes } from '../wire/codec.ts';
import { payloadText } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

export class CodeShelf {
  #most: number;
  #texts = new Map<string, { text: Payload; owners: Set<number> }>();
  #bytes = new Map<number, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** False: the client has too much here already, and this is not kept. Throws ProtocolError for code of another hash. */
  keep(client: number, hash: string, text: Payload | undefined): boolean {
    if (text?.parts.length !== 1 || codeHash(payloadText(text)) !== hash)
      throw new ProtocolError('Code that does not match its hash');
    const entry = this.#texts.get(hash) ?? { text, owners: new Set() };
    if (entry.owners.has(client)) return true;
    const bytes = (this.#bytes.get(client) ?? 0) + payloadBytes(text);
    if (bytes > this.#most) return false;
    this.#bytes.set(client, bytes);
    entry.owners.add(client);
    this.#texts.set(hash, entry);
    return true;
  }

  get(hash: string): Payload | undefined {
    return this.#texts.get(hash)?.text;
  }

  get size(): number {
    return this.#texts.size;
  }

  clientLeft(client: number): void {
    if (!this.#bytes.delete(client)) return;
    for (const [hash, { owners }] of this.#texts) if (owners.delete(client) && !owners.size) this.#texts.delete(hash);
  }
}
