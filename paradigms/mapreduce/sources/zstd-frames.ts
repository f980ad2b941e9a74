/**
 * Cuts a zstd file into its frames, and says where one is not whole (RFC 8878, section 3). Each frame can then be given
 * to a decoder of its own.
 */
import { InputError } from './errors.ts';

const MAGIC = 0xfd2fb528;
const RAW_OR_COMPRESSED = [0, 2];
const RLE = 1;
const DICTIONARY_ID = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];

export class ZstdFrames {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #path: string;
  #ahead: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(chunks: AsyncIterable<Buffer>, path: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#path = path;
  }

  /** Is there another frame of data? The one before has to be read to its end. */
  async next(): Promise<boolean> {
    while (await this.#fill(1)) {
      const magic = (await this.#peek(4)).readUInt32LE();
      if (magic === MAGIC) return true;
      if (magic >>> 4 !== 0x184d2a5) throw this.#damaged('no frame begins');
      const length = (await this.#peek(8)).readUInt32LE(4);
      for await (const _ of this.#take(8 + length));
    }
    return false;
  }

  /** The bytes of the frame. */
  async *frame(): AsyncGenerator<Buffer> {
    const descriptor = (await this.#peek(5))[4]!;
    const singleSegment = (descriptor >> 5) & 1;
    const sizeFlag = descriptor >> 6;
    const contentSize = CONTENT_SIZE[sizeFlag]! || singleSegment;
    yield* this.#take(5 + (1 - singleSegment) + DICTIONARY_ID[descriptor & 3]! + contentSize);
    for (let last = false; !last; ) {
      const header = (await this.#peek(3)).readUIntLE(0, 3);
      last = (header & 1) === 1;
      const type = (header >> 1) & 3;
      if (type !== RLE && !RAW_OR_COMPRESSED.includes(type)) throw this.#damaged('a block of no known type is');
      yield* this.#take(3 + (type === RLE ? 1 : header >> 3));
    }
    const checksum = (descriptor >> 2) & 1;
    yield* this.#take(checksum * 4);
  }

  async #peek(length: number): Promise<Buffer> {
    if (!(await this.#fill(length))) throw this.#damaged('the file ends within a frame that begins or goes on');
    return this.#ahead;
  }

  async *#take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      await this.#peek(1);
      const bytes = this.#ahead.subarray(0, left);
      this.#ahead = this.#ahead.subarray(bytes.length);
      this.#position += bytes.length;
      left -= bytes.length;
      yield bytes;
    }
  }

  /** False if the file has not so many more bytes. */
  async #fill(length: number): Promise<boolean> {
    while (this.#ahead.length < length) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#ahead = this.#ahead.length === 0 ? value : Buffer.concat([this.#ahead, value]);
    }
    return true;
  }

  #damaged(what: string): InputError {
    const message = `${this.#path} is damaged, or not whole: as zstd data, ${what} at byte ${this.#position}`;
    return new InputError(message, { path: this.#path });
  }
}
