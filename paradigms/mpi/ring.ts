/**
 * Bytes from one thread to another through shared memory: one writes, one reads. What has been written and read is counted
 * modulo 2³². Frames start at multiples of 8. Those that fit are written as a whole, the larger of them so that the other side can
 * begin before all of it is there; still larger ones, which are only sent when somebody waits for them, stream through in pieces.
 */
import { ANY_TAG } from './constants.ts';
import { Format, HEAD_INTS, type Head, headBytes, Kind, readHead, writeHead } from './frame.ts';
import { fresh, type Incoming, type Receiver } from './link.ts';

/** Ints at the start of a ring: each counter has a cache line of its own. */
const WRITTEN = 0;
const READ = 16;
/** The writer waits for room. */
const FULL = 32;
const CONTROL_BYTES = 192;
/** Copied at a time: so the other side can begin while we go on. */
const PIECE = 64 << 10;

/** Of a frame that is written as a whole: what is copied before the other side is shown it. */
const STEP = 16 << 10;
/** Looks for more of a frame that has begun. Whoever writes it is at it, but may be stopped there. */
const LOOKS = 5_000;

/** What `takeNext` gives when nothing has come, and when what has come is something else. */
export const NOTHING = -1;
export const OTHER = -2;

/** What the next frame must be for `takeNext`: a message with its data. And what it was. */
export class Sought {
  context = 0;
  /** Before, it may be ANY_TAG. */
  tag = 0;
  signature = 0;
  word = 0;
  /** Of the first word: what it must have in common with that of the frame. */
  mask = 0;
  bytes = 0;
  /** Where no place was given. */
  parts: Uint8Array[] = [];

  message(context: number, tag: number, signature: number): void {
    this.context = context;
    this.tag = tag;
    this.signature = signature;
  }

  array(type: number): void {
    this.word = Kind.EAGER | (Format.ARRAY << 8) | (type << 16);
    this.mask = -1;
  }

  anything(): void {
    this.word = Kind.EAGER;
    this.mask = 0xff00_00ff; // kind and flags
  }

  get format(): number {
    return (this.word >>> 8) & 0xff;
  }
  get type(): number {
    return (this.word >>> 16) & 0xff;
  }
}

const ONE_PART = headBytes(1);

export function ringBytes(capacity: number): number {
  return CONTROL_BYTES + capacity;
}

/** The writing end. */
export class RingWriter {
  readonly #counters: Int32Array;
  readonly #ints: Int32Array;
  readonly #bytes: Uint8Array;
  readonly capacity: number;
  #written = 0;

  constructor(memory: SharedArrayBuffer, offset: number, capacity: number) {
    this.#counters = new Int32Array(memory, offset, CONTROL_BYTES / 4);
    this.#ints = new Int32Array(memory, offset + CONTROL_BYTES, capacity / 4);
    this.#bytes = new Uint8Array(memory, offset + CONTROL_BYTES, capacity);
    this.capacity = capacity;
  }

  get written(): number {
    return this.#written;
  }

  get room(): number {
    return this.capacity - ((this.#written - Atomics.load(this.#counters, READ)) | 0);
  }

  /** The reader will ring when there is room again. False: there is room now. */
  waitForRoom(bytes: number): boolean {
    Atomics.store(this.#counters, FULL, 1);
    return this.room < bytes;
  }

  /** A whole frame, if there is room for it. `begun` is called when there is something of it for the reader, and more to come. */
  write(head: Head, parts: readonly Uint8Array[], begun: () => void): boolean {
    const bytes = frameBytes(head);
    if (this.room < bytes) return false;
    const end = (this.#written + bytes) | 0;
    let at = this.#head(head);
    for (const part of parts) {
      for (let from = 0; part.length - from > STEP; from += STEP) {
        this.#copy(at, part, from, from + STEP);
        at += STEP;
        Atomics.store(this.#counters, WRITTEN, at);
        begun();
      }
      const rest = part.length % STEP || Math.min(part.length, STEP);
      this.#copy(at, part, part.length - rest, part.length);
      at += rest;
    }
    this.#written = end;
    Atomics.store(this.#counters, WRITTEN, end);
    return true;
  }

  /** The head of a frame whose parts follow by `piece`, if there is room for it. */
  begin(head: Head): boolean {
    const bytes = headBytes(head.lengths.length);
    if (this.room < bytes) return false;
    this.#head(head);
    this.#advance(bytes);
    return true;
  }

  /** As much of it as there is room for now, from `from` on; gives where it has come to. */
  piece(part: Uint8Array, from: number): number {
    const count = Math.min(part.length - from, this.room, PIECE);
    if (count <= 0) return from;
    this.#copy(this.#written, part, from, from + count);
    this.#advance(count);
    return from + count;
  }

  /** After the last piece: the next frame starts at a multiple of 8. */
  end(bytes: number): boolean {
    const gap = -bytes & 7;
    if (this.room < gap) return false;
    if (gap) this.#advance(gap);
    return true;
  }

  #head(head: Head): number {
    writeHead(head, this.#ints, this.#written >>> 2, this.#ints.length - 1);
    return this.#written + headBytes(head.lengths.length);
  }

  #advance(bytes: number): void {
    this.#written = (this.#written + bytes) | 0;
    Atomics.store(this.#counters, WRITTEN, this.#written);
  }

  #copy(position: number, part: Uint8Array, from: number, to: number): void {
    const at = position & (this.capacity - 1);
    const first = Math.min(to - from, this.capacity - at);
    copy(part, from, this.#bytes, at, first);
    if (first < to - from) copy(part, from + first, this.#bytes, 0, to - from - first);
  }
}

export function frameBytes(head: Head): number {
  const bytes = head.carried;
  return headBytes(head.lengths.length) + bytes + (-bytes & 7);
}

/** The reading end. It gives to its receiver what is there, and notes where it stopped within a long frame. */
export class RingReader implements Incoming {
  readonly #counters: Int32Array;
  readonly #ints: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  #read = 0;
  /** Where the data of the frame that is being handled starts. */
  #at = 0;
  #current: Head | undefined;
  #stream: { places: Uint8Array[] | undefined; part: number; done: number } | undefined;
  /** So far was written of a frame that was not wholly there. */
  #begun: number | undefined;

  constructor(memory: SharedArrayBuffer, offset: number, capacity: number) {
    this.#counters = new Int32Array(memory, offset, CONTROL_BYTES / 4);
    this.#ints = new Int32Array(memory, offset + CONTROL_BYTES, capacity / 4);
    this.#bytes = new Uint8Array(memory, offset + CONTROL_BYTES, capacity);
    this.#capacity = capacity;
  }

  get empty(): boolean {
    return Atomics.load(this.#counters, WRITTEN) === this.#read;
  }

  /** There is only the beginning of a frame, as when last looked at: of a writer that has ended nothing more will come. */
  get stalled(): boolean {
    return Atomics.load(this.#counters, WRITTEN) === this.#begun;
  }

  /** Whether the writer waits for room, which is there now; it is forgotten by asking. */
  get wanted(): boolean {
    return Atomics.load(this.#counters, FULL) === 1 && Atomics.exchange(this.#counters, FULL, 0) === 1;
  }

  /** Handles frames, and pieces of them, until the ring is empty or `frames` of them were there. False: there was nothing. */
  poll(from: number, receiver: Receiver, frames: number): boolean {
    let any = false;
    while (frames-- > 0) {
      const there = (Atomics.load(this.#counters, WRITTEN) - this.#read) | 0;
      if (there === 0) break;
      if (this.#stream) this.#continue(from, receiver, there);
      else if (!this.#begin(from, receiver, there)) break;
      any = true;
    }
    return any;
  }

  /**
   * The data of the next frame, if it is what is sought: written to its place, if that is long enough, or to memory of its own
   * where there is no place. Gives its bytes. Nobody else hears of the frame.
   */
  takeNext(sought: Sought, place: Uint8Array | undefined): number {
    if (this.#stream) return OTHER;
    if (Atomics.load(this.#counters, WRITTEN) === this.#read) return NOTHING;
    const ints = this.#ints;
    const mask = ints.length - 1;
    const at = this.#read >>> 2;
    const word = ints[at & mask]!;
    const tag = ints[(at + 3) & mask]!;
    const count = ints[(at + 7) & mask]!;
    const fits =
      ((word ^ sought.word) & sought.mask) === 0 &&
      ints[(at + 1) & mask] === sought.context &&
      (tag === sought.tag || sought.tag === ANY_TAG) &&
      ints[(at + 6) & mask] === sought.signature &&
      count >= 1;
    if (!fits) return OTHER;
    let bytes = ints[(at + HEAD_INTS) & mask]! >>> 0;
    if (place) {
      if (count > 1 || bytes > place.length) return OTHER;
      if (!this.#follow(this.#read + ONE_PART, place, bytes)) return NOTHING;
    } else {
      const parts: Uint8Array[] = [];
      let position = this.#read + headBytes(count);
      bytes = 0;
      for (let i = 0; i < count; i++) {
        const length = ints[(at + HEAD_INTS + i) & mask]! >>> 0;
        const part = fresh(length);
        if (!this.#follow(position, part, length)) return NOTHING;
        parts.push(part);
        position += length;
        bytes += length;
      }
      sought.parts = parts;
    }
    sought.word = word;
    sought.tag = tag;
    sought.bytes = bytes;
    this.#advance(headBytes(count) + bytes + (-bytes & 7));
    return bytes;
  }

  /** Copies what is being written. False: it does not go on. */
  #follow(position: number, place: Uint8Array, length: number): boolean {
    for (let done = 0, looks = 0; done < length; ) {
      const there = (Atomics.load(this.#counters, WRITTEN) - position - done) | 0;
      if (there > 0) {
        const to = Math.min(done + there, length);
        this.#copy(position + done, place, done, to);
        [done, looks] = [to, 0];
      } else if (++looks > LOOKS) return false;
    }
    return true;
  }

  /** False: the frame is not wholly there. */
  #begin(from: number, receiver: Receiver, there: number): boolean {
    const head = readHead(this.#ints, this.#read >>> 2, this.#ints.length - 1);
    const bytes = headBytes(head.lengths.length);
    if (head.kind === Kind.DATA) {
      this.#current = head;
      this.#stream = { places: receiver.place(from, head), part: 0, done: 0 };
      this.#advance(bytes);
      if (head.bytes === 0) this.#finish(from, receiver);
      return true;
    }
    if (there < frameBytes(head)) {
      this.#begun = (this.#read + there) | 0;
      return false;
    }
    this.#at = this.#read + bytes;
    this.#current = head;
    receiver.frame(from, head, this);
    this.#advance(frameBytes(head));
    return true;
  }

  take(): Uint8Array[] {
    let at = this.#at;
    return this.#current!.lengths.map((length) => {
      const part = fresh(length);
      this.#copy(at, part, 0, length);
      at += length;
      return part;
    });
  }

  into(place: Uint8Array): void {
    this.#copy(this.#at, place, 0, this.#current!.lengths[0] ?? 0);
  }

  #continue(from: number, receiver: Receiver, there: number): void {
    const stream = this.#stream!;
    const { lengths } = this.#current!;
    let left = Math.min(there, PIECE);
    while (stream.part < lengths.length) {
      const length = lengths[stream.part]!;
      const count = Math.min(left, length - stream.done);
      if (stream.places && count) this.#copy(this.#read, stream.places[stream.part]!, stream.done, stream.done + count);
      this.#advance(count);
      stream.done += count;
      left -= count;
      if (stream.done < length) return;
      stream.part++;
      stream.done = 0;
    }
    this.#finish(from, receiver);
  }

  #finish(from: number, receiver: Receiver): void {
    const head = this.#current!;
    const gap = -head.bytes & 7;
    // The writer adds it in one go with nothing after it, so it is there as soon as anything is.
    if (((Atomics.load(this.#counters, WRITTEN) - this.#read) | 0) < gap) return;
    if (gap) this.#advance(gap);
    const { places } = this.#stream!;
    this.#stream = undefined;
    if (places) receiver.placed(from, head);
  }

  #advance(bytes: number): void {
    this.#read = (this.#read + bytes) | 0;
    Atomics.store(this.#counters, READ, this.#read);
  }

  /** From `position` on, to `from` and what follows in the place. */
  #copy(position: number, place: Uint8Array, from: number, to: number): void {
    const at = position & (this.#capacity - 1);
    const first = Math.min(to - from, this.#capacity - at);
    copy(this.#bytes, at, place, from, first);
    if (first < to - from) copy(this.#bytes, 0, place, from + first, to - from - first);
  }
}

/** A view of the source costs more than moving a few bytes one by one. */
const FEW = 48;
/** From here on it pays to leave V8, whose copies from and to shared memory go word by word: `fill` with bytes is the platform's own. */
const MANY = 2_048;
const { fill } = Buffer.prototype;

function copy(source: Uint8Array, from: number, target: Uint8Array, at: number, count: number): void {
  if (count <= FEW) for (let i = 0; i < count; i++) target[at + i] = source[from + i]!;
  else if (count < MANY) target.set(source.subarray(from, from + count), at);
  else fill.call(target, source.subarray(from, from + count), at, at + count);
}
