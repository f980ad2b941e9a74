/**
 * A session outlives its connections. Messages on lane 1 are counted on both sides; what the peer has not acknowledged
 * is kept, and sent again on the next connection, so each message arrives once and in order, or the session is lost.
 * Lane 0 (beats, acks) is neither counted nor repeated.
 */
import { ProtocolError, TuttiError } from '../errors.ts';
import { type Envelope, type Header, Kind, pack, unpack } from './envelope.ts';
import type { Payload } from './forms.ts';
import { checkSize } from './frame-outbox.ts';
import type { Early } from './handshake.ts';
import { hold, letGo } from './memory-pool.ts';
import { MESSAGE_COST, Replay } from './replay.ts';
import type { CloseReason, Connection, Message } from './transport.ts';

/** Bytes kept for replay; a connection lost with more than this unacknowledged cannot be resumed. */
const REPLAY_LIMIT = 64 << 20;
/** The connection's high-water mark: it tells when it falls below its low one only after it was above this. */
const MUCH = 4 << 20;
const ACK_MESSAGES = 256;
const ACK_BYTES = 1 << 20;
/** ms; as long as between beats, which acknowledge as well. */
const ACK_DELAY = 1_000;

export interface SessionHandlers {
  message(header: Envelope, payloads: Payload[]): void;
  /** A beat of the peer; any message counts as one, too. */
  beat?(header: Envelope): void;
  /** The connection was cut; `attach` resumes. */
  disconnected?(reason: string): void;
  /** Less waits to be sent than did before: see `ConnectionHandlers.drain`. */
  drained?(): void;
  /** The peer said goodbye, or sent nonsense (`violation`), or the session cannot be resumed. Called once. */
  ended(reason: string, violation: boolean): void;
}

export class Session {
  readonly id: string;
  /** Messages received so far: the number that a resuming handshake states. */
  received = 0;
  bytesSent = 0;
  bytesReceived = 0;
  #handlers: SessionHandlers;
  #connection: Connection | undefined;
  #replay = new Replay();
  /** What the connection had accepted before our first message on it, and which one that was. */
  #start = { accepted: 0, message: 0 };
  #unacked = { messages: 0, bytes: 0, timer: undefined as NodeJS.Timeout | undefined };
  #ended = false;
  #seen = performance.now();
  #draining: (() => void)[] = [];

  constructor(id: string, handlers: SessionHandlers) {
    this.id = id;
    this.#handlers = handlers;
  }

  /** Messages sent so far. */
  get sent(): number {
    return this.#replay.sent;
  }
  /** performance.now() of the last sign of life. */
  get lastSeen(): number {
    return Math.max(this.#seen, this.#connection?.heard ?? 0);
  }
  get connected(): boolean {
    return this.#connection !== undefined;
  }
  get ended(): boolean {
    return this.#ended;
  }
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? this.#replay.bytes;
  }
  /** What waits to be sent, as memory: its bytes, and what each message costs. */
  get backlog(): number {
    const connection = this.#connection;
    if (!connection) return this.#replay.bytes;
    const { accepted, written } = connection.progress ?? { accepted: 0, written: 0 };
    return connection.bufferedAmount + (accepted - written) * MESSAGE_COST;
  }
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Whether a peer that has received this many messages can be told the rest. */
  resumable(peerReceived: number): boolean {
    return !this.#ended && peerReceived >= this.#replay.from && peerReceived <= this.#replay.sent;
  }

  /** Goes on over this connection, whose peer has received `peerReceived` messages. False: it cannot be resumed. */
  attach(connection: Connection, peerReceived: number, early: Early = NOTHING_EARLY): boolean {
    if (!this.resumable(peerReceived)) return false;
    const old = this.#connection;
    this.#connection = connection;
    old?.destroy('superseded by a new connection of the same session');
    this.#start = { accepted: connection.progress?.accepted ?? 0, message: peerReceived };
    this.#acknowledged(peerReceived);
    this.#seen = performance.now();
    for (const message of this.#replay) connection.send(message);
    if (connection.capabilities.lossless) this.#replay.clear();
    const close = (reason: CloseReason): void => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      if (reason.code === 'closed' || reason.code === 'protocol' || connection.capabilities.lossless)
        this.#end(reason.message, reason.code === 'protocol');
      else if (!this.#ended) this.#handlers.disconnected?.(reason.message);
    };
    connection.receive({
      message: (parts, lane) => this.#receive(connection, parts, lane),
      close,
      drain: () => this.#drained(),
    });
    this.#drained();
    for (const [parts, lane] of early.messages) this.#receive(connection, parts, lane);
    if (early.closed) close(early.closed);
    return true;
  }

  send(header: Header, payloads: readonly Payload[] = [], owned = false): void {
    this.sendPacked(pack(header, payloads), owned);
  }

  /** For one message to many peers: `pack` once, send to each. */
  sendPacked(message: Message, owned = false): void {
    if (this.#ended) return;
    let bytes = 0;
    for (const part of message) bytes += part.byteLength;
    checkSize(bytes, message.length); // before it is counted
    this.bytesSent += bytes;
    const connection = this.#connection;
    if (!connection?.capabilities.lossless) {
      this.#replay.push(message);
      for (const part of message) hold(part);
      while (this.#replay.bytes > REPLAY_LIMIT && this.#replay.count > 1) this.#replay.shift();
    } else this.#replay.from++;
    connection?.send(message, owned && connection.capabilities.lossless ? OWNED : NOT_OWNED);
  }

  /** Resolves when little of what was sent still waits here (at once below 4 MiB), or when the session has ended. */
  drained(): Promise<void> {
    if (this.#ended || this.bufferedAmount <= MUCH) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  #drained(): void {
    this.#handlers.drained?.();
    for (const resolve of this.#draining.splice(0)) resolve();
  }

  /** Tells the peer that we live, and what has arrived. */
  beat(beat: Header['beat'] = {}): void {
    this.#connection?.send(pack({ kind: Kind.BEAT, beat: beat ?? {}, received: this.received }), CONTROL);
    this.#resetAck();
  }

  /** Ends on purpose: sends what was accepted and a goodbye. */
  async close(reason: string): Promise<void> {
    const connection = this.#connection;
    if (this.#ended) return;
    connection?.send(pack({ kind: Kind.GOODBYE, error: reason }));
    this.#connection = undefined;
    this.#finish();
    await connection?.close(reason);
  }

  /** Gives the connection up, not the session: the peer may come back on another one. */
  cut(reason: string): void {
    this.#connection?.destroy(reason);
  }

  /** Ends because it cannot be resumed: its owner is told. */
  lose(reason: string): void {
    this.#connection?.destroy(reason);
    this.#connection = undefined;
    this.#end(reason);
  }

  /** Ends without a word to the peer, or to its owner, who asks for it. */
  abandon(reason: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#finish();
    connection?.destroy(reason);
  }

  #receive(connection: Connection, parts: Uint8Array[], lane: number): void {
    if (connection !== this.#connection) return;
    this.#seen = performance.now();
    try {
      let bytes = 0;
      for (const part of parts) bytes += part.byteLength;
      this.bytesReceived += bytes;
      const { header, payloads } = unpack(parts);
      if (lane === 0) {
        // protobufjs reads 64 bits as an object where the package `long` is installed.
        this.#acknowledged(Number(header.received));
        if (header.kind === Kind.BEAT) this.#handlers.beat?.(header);
        return;
      }
      if (header.kind === Kind.GOODBYE) {
        this.#connection = undefined;
        void connection.close('goodbye');
        this.#end(header.error || 'closed');
        return;
      }
      this.received++;
      if (!connection.capabilities.lossless) this.#owe(bytes);
      this.#handlers.message(header, payloads);
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#connection = undefined;
      void connection.close(error.message); // the peer is told why
      this.#end(error.message, true);
    }
  }

  #owe(bytes: number): void {
    const unacked = this.#unacked;
    unacked.messages++;
    unacked.bytes += bytes;
    if (unacked.messages >= ACK_MESSAGES || unacked.bytes >= ACK_BYTES) this.#ack();
    else unacked.timer ??= setTimeout(() => this.#ack(), ACK_DELAY).unref();
  }

  #ack(): void {
    this.#connection?.send(pack({ kind: Kind.ACK, received: this.received }), CONTROL);
    this.#resetAck();
  }

  #resetAck(): void {
    const unacked = this.#unacked;
    clearTimeout(unacked.timer);
    unacked.timer = undefined;
    unacked.messages = unacked.bytes = 0;
  }

  /** Memory goes back to the pool only when it has left: a peer may claim to have what it was never given. */
  #acknowledged(count: number): void {
    if (count > this.#replay.sent) throw new ProtocolError('The peer acknowledged messages that were never sent');
    const { written = 0 } = this.#connection?.progress ?? {};
    const left = this.#start.message + written - this.#start.accepted;
    while (this.#replay.from < count) {
      const gone = this.#replay.from < left;
      for (const part of this.#replay.shift()) if (gone) letGo(part);
    }
  }

  #end(reason: string, violation = false): void {
    if (this.#ended) return;
    this.#finish();
    this.#handlers.ended(reason, violation);
  }

  #finish(): void {
    this.#ended = true;
    clearTimeout(this.#unacked.timer);
    this.#replay.clear();
    this.#drained();
  }
}

const NOTHING_EARLY: Early = { messages: [] };
const OWNED = { lane: 1, owned: true } as const;
const NOT_OWNED = { lane: 1 } as const;
const CONTROL = { lane: 0 } as const;
