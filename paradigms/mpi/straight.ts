/**
 * Small arrays between the threads of a communicator that block: from where they are into a ring, and from a ring to where they
 * belong, without requests, as long as nothing stands in the way. What does – a receive that was posted before, a message
 * that came before and was not received, a full ring – goes the ordinary way. The frames are the same: the other side need not know.
 */
import { bytesOf, type TypedArray, typeOf } from './arrays.ts';
import type { Core } from './core.ts';
import { Format, Head, Kind } from './frame.ts';
import type { Peer } from './peer.ts';
import type { Status } from './request.ts';
import { NOTHING, type Sought } from './ring.ts';
import { type SharedInlet, SharedLink } from './shared-links.ts';

/** Looks at the ring before it is left to the ordinary way, which looks at all of them, and sleeps at last. */
const PATIENCE = 400;
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
  readonly #patience: number;
  readonly #head = new Head(Kind.EAGER);
  readonly #lengths = [0];
  readonly #parts: [Uint8Array] = [new Uint8Array(0)];
  readonly #sought: Sought = { firstWord: 0, context: 0, tag: 0, signature: 0 };
  readonly #sent = new View();
  readonly #received = new View();
  #turn = 0;

  constructor(core: Core) {
    const { messenger, members, world } = core;
    this.#core = core;
    this.#head.lengths = this.#lengths;
    this.#patience = world.waiting.crowded ? 1 : PATIENCE;
    this.#lines = members.map((member) => {
      const peer = messenger.peer(member);
      const inlet = world.waiting.links?.inletFrom(member);
      return inlet && peer.link instanceof SharedLink ? { peer, link: peer.link, inlet } : undefined;
    });
  }

  /** False: it is to be sent the ordinary way. */
  send(to: number, array: TypedArray, context: number, tag: number, signature = 0): boolean {
    const line = this.#lines[to];
    const type = typeOf(array);
    if (!line || type === undefined || line.peer.gone || this.#othersTurn()) return false;
    const bytes = this.#sent.of(array);
    if (!line.peer.admits(bytes.length)) return false;
    const head = this.#head;
    head.format = Format.ARRAY;
    head.type = type;
    head.context = context;
    head.source = this.#core.rank;
    head.tag = tag;
    head.signature = signature;
    this.#lengths[0] = bytes.length;
    this.#parts[0] = bytes;
    if (line.link.post(head, this.#parts)) {
      line.peer.sent++;
      return true;
    }
    line.peer.withdraws(bytes.length);
    return false;
  }

  /** What has come; undefined: it is to be received the ordinary way. */
  receive(from: number, into: TypedArray, context: number, tag: number, signature = 0): Status | undefined {
    const { messenger, members } = this.#core;
    const line = this.#lines[from];
    const type = typeOf(into);
    if (!line || type === undefined || !messenger.matching.quiet(context) || this.#othersTurn()) return undefined;
    const sought = this.#sought;
    sought.firstWord = Kind.EAGER | (Format.ARRAY << 8) | (type << 16);
    sought.context = context;
    sought.tag = tag;
    sought.signature = signature;
    const place = this.#received.of(into);
    let bytes = NOTHING;
    for (let look = 0; bytes === NOTHING && look < this.#patience; look++) bytes = line.inlet.takeNext(sought, place);
    if (bytes < 0) return undefined;
    messenger.took(members[from]!, bytes);
    return { source: from, tag: sought.tag, count: bytes / into.BYTES_PER_ELEMENT };
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
