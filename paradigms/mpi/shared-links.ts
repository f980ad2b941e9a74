/** A rank's links to the other thread ranks of its process: a ring to each, a ring from each, and a bell. */
import { type Head, headBytes, Kind } from './frame.ts';
import type { Link, Receiver, Written } from './link.ts';
import { frameBytes, RingReader, RingWriter, type Sought } from './ring.ts';
import type { SharedMemory } from './shared-memory.ts';

const EAGER = 64 << 10;
const WINDOW = 4 << 20;
/** Frames of one sender that are handled before it is another one's turn. */
const TURN = 64;

interface Frame {
  head: Head;
  parts: readonly Uint8Array[];
  written: Written | undefined;
  begun: boolean;
  part: number;
  done: number;
}

export class SharedLink implements Link {
  readonly eager = EAGER;
  readonly eagerValue: number;
  readonly window = WINDOW;
  readonly #ring: RingWriter;
  readonly #rung: () => void;
  /** What found no room. */
  #outbox: Frame[] = [];
  #closed = false;

  constructor(ring: RingWriter, rung: () => void) {
    this.#ring = ring;
    this.#rung = rung;
    this.eagerValue = ring.capacity >> 2;
  }

  get waiting(): number {
    return this.#outbox.length;
  }
  get closed(): boolean {
    return this.#closed;
  }

  send(head: Head, parts: readonly Uint8Array[], _owned: boolean, written?: Written): void {
    if (this.#closed) written?.(false);
    else if (head.kind !== Kind.DATA && this.post(head, parts)) written?.(true);
    else {
      this.#outbox.push({ head, parts, written, begun: false, part: 0, done: 0 });
      this.flush();
    }
  }

  /** Writes a whole frame, now or not at all; nothing of it is kept. */
  post(head: Head, parts: readonly Uint8Array[]): boolean {
    if (this.#closed || this.#outbox.length || !this.#ring.write(head, parts, this.#rung)) return false;
    this.#rung();
    return true;
  }

  /** Writes what there is room for. False: nothing. */
  flush(): boolean {
    let any = false;
    for (let frame = this.#outbox[0]; frame; frame = this.#outbox[0]) {
      const before = this.#ring.written;
      const done = this.#push(frame);
      any ||= before !== this.#ring.written;
      if (done) {
        this.#outbox.shift();
        frame.written?.(true);
      } else if (this.stuck) break;
    }
    return any;
  }

  /** There is no room for what waits; the reader will ring when there is. */
  get stuck(): boolean {
    const frame = this.#outbox[0];
    return frame !== undefined && this.#ring.waitForRoom(needed(frame));
  }

  close(): void {
    this.#closed = true;
    for (const { written } of this.#outbox.splice(0)) written?.(false);
  }

  /** True: all of it is written. The reader is rung as soon as there is something for it. */
  #push(frame: Frame): boolean {
    const ring = this.#ring;
    const { head, parts } = frame;
    if (head.kind !== Kind.DATA) {
      if (!ring.write(head, parts, this.#rung)) return false;
      this.#rung();
      return true;
    }
    frame.begun ||= ring.begin(head);
    if (!frame.begun) return false;
    while (frame.part < parts.length) {
      const part = parts[frame.part]!;
      const before = frame.done;
      frame.done = ring.piece(part, before);
      if (frame.done > before) this.#rung();
      else if (frame.done < part.length) return false;
      if (frame.done < part.length) continue;
      frame.part++;
      frame.done = 0;
    }
    if (!ring.end(head.bytes)) return false;
    this.#rung();
    return true;
  }
}

/** Room for the next step. */
function needed({ head, begun }: Frame): number {
  if (head.kind !== Kind.DATA) return frameBytes(head);
  return begun ? 8 : headBytes(head.lengths.length);
}

/** What comes from one member. */
export class SharedInlet {
  /** Of the sender, in the world. */
  readonly from: number;
  readonly member: number;
  readonly ring: RingReader;
  /** To whom it comes from. */
  back: SharedLink | undefined;
  readonly #memory: SharedMemory;

  constructor(memory: SharedMemory, member: number, me: number, from: number) {
    this.from = from;
    this.ring = new RingReader(memory.memory, memory.ringAt(member, me), memory.capacity);
    this.#memory = memory;
    this.member = member;
  }

  /** Nothing can be done about it now. */
  get idle(): boolean {
    return this.ring.empty || (this.back?.closed === true && this.ring.stalled);
  }

  /** Handles what has come. False: nothing. */
  poll(receiver: Receiver): boolean {
    if (!this.ring.poll(this.from, receiver, TURN)) return false;
    this.#roomMade();
    return true;
  }

  /** See `RingReader`. */
  takeNext(sought: Sought, place: Uint8Array | undefined): number {
    const bytes = this.ring.takeNext(sought, place);
    if (bytes >= 0) this.#roomMade();
    return bytes;
  }

  #roomMade(): void {
    if (this.ring.wanted) this.#memory.ring(this.member);
  }
}

export class SharedLinks {
  readonly #memory: SharedMemory;
  readonly #me: number;
  readonly #receiver: Receiver;
  readonly #inlets: SharedInlet[] = [];
  readonly #writers: SharedLink[] = [];
  /** A callback is waiting for the bell. */
  #armed = false;
  #closed = false;
  #first = 0;

  /** @param ranks of the members, in the world; `me` is the place of this one among them. */
  constructor(memory: SharedMemory, ranks: readonly number[], me: number, receiver: Receiver) {
    this.#memory = memory;
    this.#me = me;
    this.#receiver = receiver;
    ranks.forEach((from, member) => {
      if (member !== me) this.#inlets.push(new SharedInlet(memory, member, me, from));
    });
  }

  /** How many threads share memory, this one too. */
  get members(): number {
    return this.#memory.members;
  }

  /** From a rank of the world. */
  inletFrom(rank: number): SharedInlet | undefined {
    return this.#inlets.find(({ from }) => from === rank);
  }

  linkTo(member: number): Link {
    const { memory, capacity } = this.#memory;
    const ring = new RingWriter(memory, this.#memory.ringAt(this.#me, member), capacity);
    const link = new SharedLink(ring, () => this.#memory.ring(member));
    this.#writers.push(link);
    for (const inlet of this.#inlets) if (inlet.member === member) inlet.back = link;
    return link;
  }

  /** Handles what has come, and writes what had to wait. False: there was nothing to do. */
  poll(): boolean {
    let any = false;
    const inlets = this.#inlets;
    // Whose turn it is first goes round, so that who takes from anybody starves nobody.
    if (++this.#first >= inlets.length) this.#first = 0;
    for (let i = 0; i < inlets.length; i++)
      if (inlets[(i + this.#first) % inlets.length]!.poll(this.#receiver)) any = true;
    for (const link of this.#writers) if (link.waiting && link.flush()) any = true;
    return any;
  }

  /** Blocks this thread until somebody rings, for `ms` at most. */
  sleep(ms: number): void {
    const bell = this.#memory.layDown(this.#me);
    if (this.#idle()) this.#memory.sleep(this.#me, bell, ms);
    this.#memory.getUp(this.#me);
  }

  /** Calls `rung` when the bell rings, again and again, until it is closed. */
  listen(rung: () => void): void {
    if (this.#closed) return;
    const bell = this.#memory.layDown(this.#me);
    const later = (): void => void setImmediate(() => this.#hear(rung));
    if (!this.#idle()) later();
    else if (!this.#armed) {
      this.#armed = this.#memory.whenRung(this.#me, bell, () => {
        this.#armed = false;
        this.#hear(rung);
      });
      if (!this.#armed) later();
    }
  }

  /** No more rings reach who listens, until `listen` again: for those who poll meanwhile. */
  mute(): void {
    this.#memory.getUp(this.#me);
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#writers) link.close();
    this.#memory.wake(this.#me); // nobody waits for the bell any more
  }

  #hear(rung: () => void): void {
    if (this.#closed) return;
    this.#memory.getUp(this.#me);
    rung();
    this.listen(rung);
  }

  #idle(): boolean {
    return this.#inlets.every(({ idle }) => idle) && this.#writers.every((link) => !link.waiting || link.stuck);
  }
}
