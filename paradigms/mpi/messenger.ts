/**
 * One rank's messages. Small ones go along with their head and wait at the receiver, up to a window for each sender; others are
 * announced, and sent when a receive has been matched with them: so what waits at a receiver is bounded, and large data is
 * written where it belongs. Both kinds are announced to the matching in the order of their heads.
 */
import type { TypedArray } from './arrays.ts';
import { ANY_SOURCE } from './constants.ts';
import { Head, Kind, SYNCHRONOUS } from './frame.ts';
import { type Incoming, type Link, type Receiver, type Written, whole } from './link.ts';
import { Matching } from './matching.ts';
import type { Packet } from './packet.ts';
import { Peer } from './peer.ts';
import { type Probe, Probes } from './probes.ts';
import type { Request } from './request.ts';
import { type Envelope, type Message, Receive, Send, type Wanted } from './transfer.ts';

export interface MessengerHome {
  /** Of what kind the world is, for a message that has come. False: nobody will ever receive in its context. */
  expects(message: Message): boolean;
  control(from: number, value: Uint8Array[]): void;
  /** Why nothing can come in a context any more, from anybody. */
  deserted(context: number): Error | undefined;
}

/** A receive or a probe that waits. */
interface Open {
  readonly context: number;
  readonly tag: number;
  readonly from: number;
}

/** An operation that waits, in words. */
export interface Waits {
  readonly context: number;
  readonly text: string;
  readonly from: number;
  readonly tag: number;
}

export class Messenger implements Receiver {
  readonly matching = new Matching<Receive<any>, Message>();
  readonly #home: MessengerHome;
  readonly #peers: Peer[] = [];
  readonly #probes = new Probes(this.matching);
  /** Announced, or synchronous and not matched. */
  readonly #sends = new Map<number, Send>();
  /** Matched with what was announced. */
  readonly #receives = new Map<number, Receive<any>>();
  #next = 0;

  constructor(home: MessengerHome) {
    this.#home = home;
  }

  connect(rank: number, link: Link): void {
    this.#peers[rank] = new Peer(link);
  }

  peer(rank: number): Peer {
    return this.#peers[rank]!;
  }

  send(to: number, packet: Packet, envelope: Envelope, synchronous: boolean, what: string): Send {
    const send = new Send(++this.#next, to, envelope, packet, what);
    const peer = this.#peers[to]!;
    if (peer.gone) {
      send.reject(peer.lost(envelope.context));
      return send;
    }
    const { parts } = packet;
    const head = headOf(Kind.EAGER, packet);
    head.context = envelope.context;
    head.source = envelope.source;
    head.tag = envelope.tag;
    head.signature = envelope.signature ?? 0;
    head.id = send.id;
    if (!peer.admits(head.bytes, packet.format)) {
      head.kind = Kind.ANNOUNCE;
      this.#sends.set(send.id, send);
      this.#post(peer, head, [], true);
    } else if (synchronous) {
      head.flags = SYNCHRONOUS;
      this.#sends.set(send.id, send);
      this.#post(peer, head, parts, packet.owned);
    } else
      this.#post(peer, head, parts, packet.owned, (ok) =>
        ok ? send.resolve(undefined) : send.reject(peer.lost(send.context)),
      );
    return send;
  }

  receive<T>(wanted: Wanted<T>): Receive<T> {
    const receive = new Receive(this, ++this.#next, wanted);
    const there = this.matching.post(receive);
    const { from, context } = wanted;
    if (there) this.give(there, receive);
    else if (from >= 0 && this.#peers[from]!.gone) {
      this.matching.cancel(receive);
      receive.reject(this.#peers[from]!.lost(context));
    } else if (from < 0) {
      const why = this.#home.deserted(context);
      if (why) {
        this.matching.cancel(receive);
        receive.reject(why);
      }
    }
    return receive;
  }

  /** Gives a message that was taken out of the matching to a receive. */
  give(message: Message, receive: Receive<any>): void {
    const { from, head, parts } = message;
    const peer = this.#peers[from]!;
    receive.from = from;
    if (head.kind === Kind.EAGER) {
      if (receive.accepts(head)) receive.fill(head, whole(parts!));
      this.#consumed(peer, head);
    } else if (peer.gone) receive.reject(peer.lost(head.context));
    else this.#go(from, head, receive);
  }

  /** A receive that has no message yet, outside of the matching: for `give`. */
  receiveOf<T>(message: Message, into: TypedArray | undefined, as: Wanted<T>['as']): Receive<T> {
    const { context, source, tag, from } = message;
    return new Receive(this, ++this.#next, { context, source, tag, from, into, as, what: 'recv of a matched message' });
  }

  /** Settles when a message is there. */
  probe<T>(wanted: Probe<T>): Request<T> {
    const { from, context } = wanted;
    const deserted = from < 0 ? this.#home.deserted(context) : undefined;
    return this.#probes.add(wanted, from < 0 ? deserted && (() => deserted) : this.#peers[from]!.gone);
  }

  /** @internal */
  cancel(receive: Receive<any>): boolean {
    return this.matching.cancel(receive);
  }

  control(to: number, parts: readonly Uint8Array[]): void {
    const peer = this.#peers[to];
    if (!peer || peer.gone) return;
    const head = new Head(Kind.CONTROL);
    head.lengths = parts.map(({ length }) => length);
    this.#post(peer, head, parts, true);
  }

  frame(from: number, head: Head, data: Incoming): void {
    const peer = this.#peers[from]!;
    peer.received++;
    if (head.kind === Kind.EAGER || head.kind === Kind.ANNOUNCE) this.#arrived(from, head, data);
    else if (head.kind === Kind.CONTROL) this.#home.control(from, data.take());
    else if (head.kind === Kind.CREDIT) peer.credits(head.id);
    else if (head.kind === Kind.MATCHED) this.#settleSend(head.id);
    else if (head.kind === Kind.GO) this.#goAhead(from, head);
  }

  place(from: number, head: Head): Uint8Array[] | undefined {
    this.#peers[from]!.received++;
    return this.#receives.get(head.peer)?.places(head);
  }

  placed(_from: number, head: Head): void {
    const receive = this.#receives.get(head.peer);
    this.#receives.delete(head.peer);
    receive?.placed(head);
  }

  /** An eager message of so many bytes has been received without us. */
  took(from: number, bytes: number): void {
    const peer = this.#peers[from]!;
    peer.received++;
    const owed = peer.owes(bytes);
    if (owed) this.#tell(peer, Kind.CREDIT, owed);
  }

  /** What waits for this rank of the world, or may, ends; `why` says it for a context. */
  lose(
    rank: number,
    concerns: (context: number) => boolean,
    why: (context: number) => Error,
    /** It has ended as it should, and all that it has sent has come: of a context, whether anybody is left there. */
    deserted?: (context: number) => boolean,
  ): void {
    const peer = this.#peers[rank];
    if (!peer || peer.gone) return;
    peer.gone = why;
    // Nobody can tell who waits for whom within a collective: it ends for all.
    const spoilt = (context: number): boolean => !deserted && isCollective(context) && concerns(context);
    const concernsAny = deserted ?? concerns;
    const hit = ({ from, context }: Open): boolean =>
      from === rank || spoilt(context) || (from === ANY_SOURCE && concernsAny(context));
    this.fail(({ to, context }) => to === rank || spoilt(context), hit, why);
    peer.link.close();
  }

  /** Ends sends and receives of these kinds. */
  fail(sends: (send: Send) => boolean, receives: (receive: Open) => boolean, why: (context: number) => Error): void {
    for (const send of [...this.#sends.values()]) {
      if (!sends(send)) continue;
      this.#sends.delete(send.id);
      send.reject(why(send.context));
    }
    for (const receive of [...this.matching.posted(), ...this.#receives.values()]) {
      if (!receives(receive)) continue;
      this.matching.cancel(receive);
      this.#receives.delete(receive.id);
      receive.reject(why(receive.context));
    }
    this.#probes.fail(receives, why);
  }

  /** Something is announced, and nobody has asked for it yet; or a synchronous send is not matched. */
  get sending(): boolean {
    return this.#sends.size > 0;
  }

  /** Frames that have not left. */
  get waiting(): number {
    return this.#peers.reduce((sum, peer) => sum + (peer?.link.waiting ?? 0), 0);
  }

  /** What has come for this context, and will never be received, is as good as received. */
  drop(context: number): void {
    for (const message of this.matching.drop(context)) this.#discard(message);
  }

  close(): void {
    for (const peer of this.#peers) peer?.link.close();
  }

  /** Frames to and from all that are not gone, for those who want to know whether any is on its way. */
  get traffic(): { sent: number; received: number } {
    let [sent, received] = [0, 0];
    for (const peer of this.#peers) {
      if (!peer || peer.gone) continue;
      sent += peer.sent;
      received += peer.received;
    }
    return { sent, received };
  }

  waits(): Waits[] {
    return [
      ...[...this.#sends.values()].map(({ what, context, to, tag }) => ({
        text: `${what} to`,
        context,
        from: to,
        tag,
      })),
      ...[...this.matching.posted(), ...this.#receives.values()].map(({ what, context, from, tag }) => ({
        text: `${what} from`,
        context,
        from,
        tag,
      })),
      ...this.#probes.wanted.map(({ what, context, from, tag }) => ({ text: `${what} of`, context, from, tag })),
    ];
  }

  #arrived(from: number, head: Head, data: Incoming): void {
    const { context, source, tag } = head;
    const message: { -readonly [K in keyof Message]: Message[K] } = {
      head,
      context,
      source,
      tag,
      from,
      parts: undefined,
    };
    if (!this.#home.expects(message)) {
      if (head.kind === Kind.EAGER) message.parts = [];
      this.#discard(message);
      return;
    }
    const receive = this.matching.arrive(message);
    if (!receive) {
      if (head.kind === Kind.EAGER) message.parts = data.take();
      this.#probes.arrived(context);
      return;
    }
    receive.from = from;
    if (head.kind === Kind.ANNOUNCE) this.#go(from, head, receive);
    else {
      if (receive.accepts(head)) receive.fill(head, data);
      this.#consumed(this.#peers[from]!, head);
    }
  }

  /** An eager message has been matched: whoever asked is told, and the window opens again. */
  #consumed(peer: Peer, head: Head): void {
    if (head.flags & SYNCHRONOUS) this.#tell(peer, Kind.MATCHED, head.id);
    const owed = peer.owes(head.bytes);
    if (owed) this.#tell(peer, Kind.CREDIT, owed);
  }

  #discard({ from, head, parts }: Message): void {
    const peer = this.#peers[from]!;
    if (parts) this.#consumed(peer, head);
    else this.#tell(peer, Kind.GO, head.id);
  }

  #go(from: number, head: Head, receive: Receive<any>): void {
    const wanted = receive.accepts(head);
    if (wanted) this.#receives.set(receive.id, receive);
    this.#tell(this.#peers[from]!, Kind.GO, head.id, wanted ? receive.id : 0);
  }

  #goAhead(from: number, { id, peer: receive }: Head): void {
    const send = this.#sends.get(id);
    if (!send) return;
    if (receive === 0) {
      this.#settleSend(id);
      return;
    }
    const head = headOf(Kind.DATA, send.packet);
    head.peer = receive;
    const { parts, owned } = send.packet;
    this.#post(this.#peers[from]!, head, parts, owned, () => this.#settleSend(id));
  }

  #settleSend(id: number): void {
    const send = this.#sends.get(id);
    this.#sends.delete(id);
    send?.resolve(undefined);
  }

  #tell(peer: Peer, kind: number, id: number, receive = 0): void {
    if (peer.gone) return;
    const head = new Head(kind);
    head.id = id;
    head.peer = receive;
    this.#post(peer, head, [], true);
  }

  #post(peer: Peer, head: Head, parts: readonly Uint8Array[], owned: boolean, written?: Written): void {
    peer.sent++;
    peer.link.send(head, parts, owned, written);
  }
}

/** Contexts come in pairs. */
const isCollective = (context: number): boolean => context % 2 === 1;

function headOf(kind: number, { format, type, parts }: Packet): Head {
  const head = new Head(kind);
  head.format = format;
  head.type = type;
  head.lengths = parts.length === 1 ? [parts[0]!.length] : parts.map(({ length }) => length);
  return head;
}
