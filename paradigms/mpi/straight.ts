/**
 * Small messages between the threads of a communicator that block: from where they are into a ring, and from a ring to where they
 * belong, without requests, as long as nothing stands in the way. What does – a receive that was posted before, a message
 * that came before and was not received, a full ring – goes the ordinary way. The frames are the same: the other side need not know.
 */
import { bytesOf, type TypedArray, typeOf } from './arrays.ts';
import type { Core } from './core.ts';
import { Format, Head, Kind } from './frame.ts';
import type { Packet } from './packet.ts';
import type { Peer } from './peer.ts';
import type { Status } from './request.ts';
import { NOTHING, Sought } from './ring.ts';
import { type SharedInlet, SharedLink } from './shared-links.ts';
import type { Strided } from './strided.ts';

/** Of so many messages one leaves the others' messages their turn. */
const OTHERS = 32;

interface Line {
  peer: Peer;
  link: SharedLink;
  inlet: SharedInlet;
}

export class Straight {
  readonly #core: Core;
  /** By rank here; of those who share memory with this one. */
  readonly #lines: (Line | undefined)[];
  readonly #head = new Head(Kind.EAGER);
  /** Of the only part, mostly. */
  readonly #length = [0];
  readonly #part: [Uint8Array] = [new Uint8Array(0)];
  readonly #sought = new Sought();
  readonly #sent = new View();
  readonly #received = new View();
  #turn = 0;
  /** Whom it waits for, and in which operation. */
  #from = 0;
  #what = '';

  constructor(core: Core) {
    const { messenger, members, world } = core;
    this.#core = core;
    this.#head.source = core.rank;
    this.#lines = members.map((member) => {
      const peer = messenger.peer(member);
      const inlet = world.waiting.links?.inletFrom(member);
      return inlet && peer.link instanceof SharedLink ? { peer, link: peer.link, inlet } : undefined;
    });
  }

  /** Is that a rank whose thread shares memory with this one? */
  reaches(rank: number): boolean {
    return this.#lines[rank] !== undefined;
  }

  /** False: it is to be sent the ordinary way. */
  sendArray(to: number, array: TypedArray | Strided, context: number, tag: number, signature = 0): boolean {
    const type = typeOf(array);
    if (type === undefined) return false;
    const bytes = this.#sent.of(array as TypedArray);
    this.#length[0] = bytes.length;
    this.#part[0] = bytes;
    this.#fill(Format.ARRAY, type, context, tag, signature);
    return this.#send(to, bytes.length, Format.ARRAY, this.#length, this.#part);
  }

  sendPacket(to: number, { format, type, parts }: Packet, context: number, tag: number): boolean {
    let [bytes, lengths] = [parts[0]!.length, this.#length];
    if (parts.length === 1) lengths[0] = bytes;
    else {
      lengths = parts.map(({ length }) => length);
      bytes = lengths.reduce((sum, length) => sum + length);
    }
    this.#fill(format, type, context, tag, 0);
    // Whoever receives a value has no place for it before it comes.
    return this.#send(to, bytes, Format.OBJECT, lengths, parts);
  }

  /** What it waits for while it blocks, in words. */
  describe(): string {
    const { world, members, context } = this.#core;
    const { tag, signature } = this.#sought;
    if (this.#sought.context !== context) return `waits in ${this.#core.describe(tag, signature)}`;
    return world.lookout.describe({ text: `${this.#what} from`, context, from: members[this.#from]!, tag });
  }

  /** What has come, into the array; undefined: it is to be received the ordinary way. */
  receiveArray(
    from: number,
    into: TypedArray | Strided,
    context: number,
    tag: number,
    signature = 0,
  ): Status | undefined {
    const type = typeOf(into);
    if (type === undefined) return undefined;
    const sought = this.#sought;
    sought.message(context, tag, signature);
    sought.array(type);
    this.#what = 'recvBuffer';
    if (!this.#receive(from, this.#received.of(into as TypedArray))) return undefined;
    return { source: from, tag: sought.tag, count: sought.bytes / (into as TypedArray).BYTES_PER_ELEMENT };
  }

  /** A value of any kind. */
  receivePacket(from: number, context: number, tag: number): Packet | undefined {
    const sought = this.#sought;
    sought.message(context, tag, 0);
    sought.anything();
    this.#what = 'recv';
    if (!this.#receive(from, undefined)) return undefined;
    return { format: sought.format, type: sought.type, parts: sought.parts, owned: true };
  }

  #fill(format: number, type: number, context: number, tag: number, signature: number): void {
    const head = this.#head;
    head.format = format;
    head.type = type;
    head.context = context;
    head.tag = tag;
    head.signature = signature;
  }

  /** @param as which limit holds for it; see `Peer.admits`. */
  #send(to: number, bytes: number, as: number, lengths: readonly number[], parts: readonly Uint8Array[]): boolean {
    const line = this.#lines[to];
    if (!line || line.peer.gone || this.#othersTurn() || !line.peer.admits(bytes, as)) return false;
    this.#head.lengths = lengths;
    if (line.link.post(this.#head, parts)) {
      line.peer.sent++;
      return true;
    }
    line.peer.withdraws(bytes);
    return false;
  }

  #receive(from: number, place: Uint8Array | undefined): boolean {
    const { messenger, members, world } = this.#core;
    const { waiting, lookout } = world;
    const sought = this.#sought;
    const line = this.#lines[from];
    if (!line || this.#othersTurn() || !this.#clear(line)) return false;
    const { looks, ms } = waiting.patience.next();
    for (let until = 0; ; ) {
      let bytes = NOTHING;
      for (let look = 0; bytes === NOTHING && look < looks; look++) bytes = line.inlet.takeNext(sought, place);
      if (bytes >= 0) {
        messenger.took(members[from]!, bytes);
        return true;
      }
      if (bytes !== NOTHING) return false;
      if (waiting.poll()) {
        if (!this.#clear(line)) return false;
      } else if (until === 0) until = performance.now() + ms;
      else if (performance.now() > until) {
        this.#from = from;
        lookout.blocked = this;
        waiting.nap();
        lookout.blocked = undefined;
        if (!this.#clear(line)) return false;
      }
    }
  }

  /** Nothing stands in the way: neither another message or receive, nor what this one fails with. */
  #clear({ peer }: Line): boolean {
    const core = this.#core;
    return core.sound && peer.gone === undefined && core.messenger.matching.quiet(this.#sought.context);
  }

  #othersTurn(): boolean {
    const { waiting } = this.#core.world;
    if (++this.#turn % OTHERS === 0) waiting.poll();
    return waiting.polling;
  }
}

/** The bytes of an array, which is often the same one again. */
class View {
  #array: TypedArray | undefined;
  #bytes: Uint8Array = new Uint8Array(0);

  of(array: TypedArray): Uint8Array {
    if (array === this.#array) return this.#bytes;
    const bytes = bytesOf(array);
    // Large ones are not kept for this.
    this.#array = bytes.length < 1 << 16 ? array : undefined;
    if (this.#array) this.#bytes = bytes;
    return bytes;
  }
}
