import { uncleared } from './bytes.ts';
import { type FrameSink, HEADER_BYTES } from './framing.ts';

/** Pieces below this are copied next to their header; larger ones go to the socket as they are. */
const COPY_BELOW = 4096;
const BUFFER_BYTES = 64 * 1024;
/** The same of a connection that has never had much to say: there may be thousands. */
const FIRST_BYTES = COPY_BELOW;
/** What one write holds: enough to keep a socket busy, little enough that lane 0 need not wait long behind it. */
const FULL_BYTES = 1024 * 1024;

/** Frames as the byte buffers of one write. Its memory is used again after `reset`, so that must wait for the write. */
export class FrameBatch implements FrameSink {
  buffers: Uint8Array[] = [];
  #memory: Uint8Array | undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #bytes = 0;

  get full(): boolean {
    return this.#bytes >= FULL_BYTES || this.#end > BUFFER_BYTES - COPY_BELOW;
  }

  begin(flags: number, length: number): void {
    this.#reserve(HEADER_BYTES);
    this.u32(length);
    this.#buffer[this.#end++] = flags;
  }

  u32(value: number): void {
    this.#reserve(4);
    const buffer = this.#buffer;
    let at = this.#end;
    buffer[at++] = value;
    buffer[at++] = value >>> 8;
    buffer[at++] = value >>> 16;
    buffer[at++] = value >>> 24;
    this.#end = at;
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    const piece = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    this.#bytes += piece.length;
    if (piece.length < COPY_BELOW) {
      this.#reserve(piece.length);
      this.#buffer.set(piece, this.#end);
      this.#end += piece.length;
    } else {
      this.#seal();
      this.buffers.push(piece);
    }
  }

  /** Completes `buffers`; true if there is anything to write. */
  finish(): boolean {
    this.#seal();
    return this.buffers.length > 0;
  }

  reset(): void {
    this.buffers = [];
    this.#buffer = this.#memory ?? this.#buffer;
    this.#start = 0;
    this.#end = 0;
    this.#bytes = 0;
  }

  #seal(): void {
    if (this.#end > this.#start) this.buffers.push(this.#buffer.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#buffer.length) return;
    this.#seal();
    this.#buffer = uncleared(this.#memory ? BUFFER_BYTES : FIRST_BYTES);
    if (this.#buffer.length > (this.#memory?.length ?? 0)) this.#memory = this.#buffer;
    this.#start = 0;
    this.#end = 0;
  }
}
