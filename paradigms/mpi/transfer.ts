/** Sends and receives under way, as the messenger keeps them. */
import { bytesOf, type TypedArray } from './arrays.ts';
import { RequestCancelledError, TruncateError } from './errors.ts';
import type { Head } from './frame.ts';
import { fresh, type Incoming } from './link.ts';
import { checkArray, count, type Packet } from './packet.ts';
import { Request, type Status } from './request.ts';

/** What a message says of itself. */
export interface Envelope {
  readonly context: number;
  /** The sender's rank in the communicator. */
  readonly source: number;
  readonly tag: number;
  readonly signature?: number;
}

export class Send extends Request<undefined> {
  readonly id: number;
  /** Of whom it goes to, in the world. */
  readonly to: number;
  readonly envelope: Envelope;
  readonly packet: Packet;
  /** The operation that it is part of. */
  readonly what: string;

  constructor(id: number, to: number, envelope: Envelope, packet: Packet, what: string) {
    super();
    this.id = id;
    this.to = to;
    this.envelope = envelope;
    this.packet = packet;
    this.what = what;
  }

  get context(): number {
    return this.envelope.context;
  }
  get tag(): number {
    return this.envelope.tag;
  }
}

/** A message that is here, or announced, and has not been received. */
export interface Message {
  readonly head: Head;
  readonly context: number;
  readonly source: number;
  readonly tag: number;
  /** Of the sender, in the world. */
  readonly from: number;
  /** Undefined: its data is still at the sender. */
  readonly parts: Uint8Array[] | undefined;
}

export interface ReceiveHome {
  cancel(receive: Receive<any>): boolean;
}

export interface Wanted<T> {
  readonly context: number;
  /** A rank of the communicator, or ANY_SOURCE. */
  readonly source: number;
  readonly tag: number;
  /** The same in the world. */
  readonly from: number;
  /** Takes the elements of an array of its type. */
  readonly into?: TypedArray | undefined;
  /** What it gives: of what came, which is empty where it went into an array. */
  readonly as: (packet: Packet, status: Status) => T;
  /** The operation that it is part of. */
  readonly what: string;
}

export class Receive<T = unknown> extends Request<T> {
  readonly id: number;
  readonly context: number;
  readonly source: number;
  readonly tag: number;
  /** Who it waits for, in the world, once that is known. */
  from: number;
  readonly wanted: Wanted<T>;
  /** Of what came. */
  signature = 0;
  #home: ReceiveHome;
  #parts: Uint8Array[] | undefined;

  constructor(home: ReceiveHome, id: number, wanted: Wanted<T>) {
    super();
    this.#home = home;
    this.id = id;
    this.context = wanted.context;
    this.source = wanted.source;
    this.tag = wanted.tag;
    this.from = wanted.from;
    this.wanted = wanted;
  }

  get into(): TypedArray | undefined {
    return this.wanted.into;
  }
  get what(): string {
    return this.wanted.what;
  }

  /** The message that it takes. False: it does not fit, and the receive has failed; nobody wants the data. */
  accepts(head: Head): boolean {
    this.status = { source: head.source, tag: head.tag, count: count(head) };
    this.signature = head.signature;
    if (!this.into) return true;
    try {
      checkArray(head, this.into, `Rank ${head.source}`);
      if (head.bytes > this.into.byteLength)
        throw new TruncateError(
          `Rank ${head.source} sent ${count(head)} elements with tag ${head.tag}, and the buffer has room for ${this.into.length}; probe tells the count before`,
        );
      return true;
    } catch (error) {
      this.reject(error);
      return false;
    }
  }

  /** Its data is here. */
  fill(head: Head, data: Incoming): void {
    if (this.into) {
      data.into(bytesOf(this.into));
      this.#done(head, []);
    } else this.#done(head, data.take());
  }

  /** Where its data is to be written. */
  places(head: Head): Uint8Array[] {
    this.#parts = this.into ? [bytesOf(this.into)] : head.lengths.map((length) => fresh(length));
    return this.#parts;
  }

  placed(head: Head): void {
    this.#done(head, this.into ? [] : this.#parts!);
  }

  override cancel(): boolean {
    return this.withdraw(new RequestCancelledError(`${this.what} was cancelled before a message came`));
  }

  /** Fails with the reason, unless a message has been matched with it. */
  withdraw(reason: unknown): boolean {
    if (this.settled || !this.#home.cancel(this)) return false;
    this.status = { ...this.status, cancelled: true };
    this.reject(reason);
    this.catch(() => {}); // whoever withdraws it knows
    return true;
  }

  #done(head: Head, parts: Uint8Array[]): void {
    const packet = { format: head.format, type: head.type, parts, owned: true };
    let value: T;
    try {
      value = this.wanted.as(packet, this.status);
    } catch (error) {
      this.reject(error);
      return;
    }
    this.resolve(value);
  }
}
