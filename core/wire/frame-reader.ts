import { uncleared } from './bytes.ts';
import type { FrameAssembler } from './frame-assembler.ts';
import { HEADER_BYTES } from './framing.ts';

const BUFFER_BYTES = 64 * 1024;
/** One for all readers of this thread: what is read to it is pushed at once, before anything else is read. */
let buffer: Uint8Array | undefined;

/** Finds the frames in a stream of bytes, however it is split. Throws ProtocolError as its assembler does. */
export class FrameReader {
  readonly #assembler: FrameAssembler;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;

  constructor(assembler: FrameAssembler) {
    this.#assembler = assembler;
  }

  /** Where the next bytes should be read to; it is used again, by whichever reader, as soon as `push` has returned. */
  memory(): Uint8Array {
    const direct = this.#headerFilled === 0 ? this.#assembler.memory() : undefined;
    if (direct) return direct;
    buffer ??= new Uint8Array(uncleared(BUFFER_BYTES).buffer);
    return buffer;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    const assembler = this.#assembler;
    let at = start;
    while (at < end) {
      if (assembler.left > 0) {
        const stop = Math.min(end, at + assembler.left);
        assembler.payload(bytes, at, stop);
        at = stop;
      } else if (this.#headerFilled === 0 && end - at >= HEADER_BYTES) {
        this.#begin(bytes, at);
        at += HEADER_BYTES;
      } else {
        this.#header[this.#headerFilled++] = bytes[at++]!;
        if (this.#headerFilled === HEADER_BYTES) {
          this.#headerFilled = 0;
          this.#begin(this.#header, 0);
        }
      }
    }
  }

  #begin(bytes: Uint8Array, at: number): void {
    const length = bytes[at]! + bytes[at + 1]! * 0x100 + bytes[at + 2]! * 0x10000 + bytes[at + 3]! * 0x1000000;
    this.#assembler.begin(bytes[at + 4]!, length);
  }
}
