/**
 * Writes on their way to the thread that commits them: one stretch of memory that changes hands. Packing is the one copy that
 * is made of a value.
 *
 * A write: u32 number of changes, then for each: u8 flags, u32 key length, key, and where flagged u32 length and value
 * with 4 spare bytes behind it (for its checksum), u32 length and expected bytes. Little endian.
 */
export interface PackedChange {
  readonly key: Buffer;
  /** With the 4 spare bytes. */
  readonly record: Buffer | undefined;
  readonly expected: Buffer | null | undefined;
}

export interface BinaryChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  readonly expected?: Uint8Array | null;
}

const HAS_VALUE = 1;
const EXPECTS_VALUE = 2;
const EXPECTS_NOTHING = 4;
const SPARE = 4;
const FIRST_SIZE = 64 * 1024;

export class PackedWrites {
  #bytes = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  get size(): number {
    return this.#end;
  }

  add(changes: readonly BinaryChange[]): void {
    this.#room(4);
    this.#number(changes.length);
    for (const { key, value, expected } of changes) {
      this.#room(1 + 12 + SPARE + key.length + (value?.length ?? 0) + (expected?.length ?? 0));
      const flags = (value ? HAS_VALUE : 0) | (expected ? EXPECTS_VALUE : expected === null ? EXPECTS_NOTHING : 0);
      this.#bytes[this.#end++] = flags;
      this.#sized(key);
      if (value) {
        this.#sized(value);
        this.#end += SPARE;
      }
      if (expected) this.#sized(expected);
    }
  }

  /** The memory, to be transferred; what is packed is its first `size` bytes. */
  take(): { memory: ArrayBuffer; size: number } {
    return { memory: this.#bytes.buffer, size: this.#end };
  }

  #sized(bytes: Uint8Array): void {
    this.#number(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #number(n: number): void {
    this.#view.setUint32(this.#end, n, true);
    this.#end += 4;
  }

  #room(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#end + more));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** The writes in the order in which they were packed; all bytes are views of the memory. */
export function unpacked({ memory, size }: { memory: ArrayBuffer; size: number }): PackedChange[][] {
  const view = new DataView(memory);
  let at = 0;
  const number = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const bytes = (spare: number): Buffer => {
    const length = number() + spare;
    at += length;
    return Buffer.from(memory, at - length, length);
  };
  const writes: PackedChange[][] = [];
  while (at < size) {
    const changes: PackedChange[] = [];
    for (let left = number(); left > 0; left--) {
      const flags = view.getUint8(at++);
      const key = bytes(0);
      const record = flags & HAS_VALUE ? bytes(SPARE) : undefined;
      const expected = flags & EXPECTS_VALUE ? bytes(0) : flags & EXPECTS_NOTHING ? null : undefined;
      changes.push({ key, record, expected });
    }
    writes.push(changes);
  }
  return writes;
}
