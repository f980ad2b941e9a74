/** Code that arrived: what calls wait for stays, the rest while there is room; the sender's side can give it again. */
const ROOM = 64 << 20;
const MOST = 10_000;

export class Texts {
  /** Least recently used first. */
  #texts = new Map<string, string>();
  #characters = 0;
  #pins = new Map<string, number>();
  #dropped: (hash: string) => void;

  /** `dropped`: what was made of that text can go, too. */
  constructor(dropped: (hash: string) => void) {
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#texts.size;
  }

  has(hash: string): boolean {
    return this.#texts.has(hash);
  }

  get(hash: string): string | undefined {
    return this.#texts.get(hash);
  }

  set(hash: string, text: string): void {
    if (this.#texts.has(hash)) return;
    this.#texts.set(hash, text);
    this.#characters += text.length;
    this.#makeRoom();
  }

  /** A call will need them. */
  pin(hashes: readonly string[]): void {
    for (const hash of hashes) {
      this.#pins.set(hash, (this.#pins.get(hash) ?? 0) + 1);
      const text = this.#texts.get(hash);
      if (text === undefined) continue;
      this.#texts.delete(hash);
      this.#texts.set(hash, text);
    }
  }

  /** The call is over; as many times as `pin`. */
  unpin(hashes: readonly string[]): void {
    for (const hash of hashes) {
      const left = (this.#pins.get(hash) ?? 1) - 1;
      if (left) this.#pins.set(hash, left);
      else this.#pins.delete(hash);
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#characters <= ROOM && this.#texts.size <= MOST) return;
    for (const [hash, text] of this.#texts) {
      if (this.#characters <= ROOM && this.#texts.size <= MOST) return;
      if (this.#pins.has(hash)) continue;
      this.#texts.delete(hash);
      this.#characters -= text.length;
      this.#dropped(hash);
    }
  }
}
