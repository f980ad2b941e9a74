import { Delivery } from './frame-delivery.ts';
import { Outbox, WINDOW_BYTES } from './frame-outbox.ts';
import type { Capabilities, Connection, ConnectionHandlers, Lane, Message, SendOptions } from './transport.ts';

const HIGH_WATER = 4 * 1024 * 1024;
const LOW_WATER = 1024 * 1024;
/** Credit is granted in quarters of the window: rarely, and long before the writer runs dry. */
const GRANT_BYTES = WINDOW_BYTES / 4;
/** A frame that may have been long on its way. */
const LONG_BYTES = 16 * 1024;
/** How long a closing connection waits without progress before it cuts. */
const CLOSE_PATIENCE_MS = 2000;

function taken(part: Uint8Array): Uint8Array {
  return part.buffer instanceof SharedArrayBuffer ? part : new Uint8Array(part);
}

/** What carries one connection: a socket, a port. It is driven by its `FrameConnection` and reports to it. */
export interface Link {
  readonly capabilities: Capabilities;
  readonly remote: string;
  /** What is sent leaves as soon as nobody has anything to add to it; else when the event loop has turned. */
  readonly prompt: boolean;
  /** Begins to report what arrives. Called once. */
  start(): void;
  /**
   * Takes from `outbox` what may leave now and passes it on; false if there was nothing. `sent` is called once with
   * the weight that was taken, when the next write may come.
   */
  write(outbox: Outbox, sent: (weight: number) => void): boolean;
  /** The peer may send messages above 64 KiB. */
  allowLarge(): void;
  /** No more writes; reports `gone` when the peer has ended as well. */
  end(): void;
  /** Cuts; reports `gone`. */
  destroy(): void;
}

/** A `Connection` over any `Link`: lanes, credit, pause, marks and close, which are the same for all of them. */
export class FrameConnection implements Connection {
  objection: string | undefined;
  heard = 0;
  readonly #link: Link;
  readonly #delivery = new Delivery();
  readonly #outbox = new Outbox();
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #buffered = 0;
  #started = false;
  #writing = false;
  #high = false;
  #ungranted = 0;
  #written = 0;
  #parting = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(link: Link) {
    this.#link = link;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  get capabilities(): Capabilities {
    return this.#link.capabilities;
  }

  get remote(): string {
    return this.#link.remote;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  get progress(): { accepted: number; written: number } {
    return { accepted: this.#outbox.accepted, written: this.#written };
  }

  receive(handlers: ConnectionHandlers): void {
    this.#delivery.receive(handlers, () => this.#grant());
    this.#start();
  }

  send(message: Message, options?: SendOptions): void {
    if (!this.#delivery.open || this.#outbox.goodbye !== undefined) return;
    const owned = options?.owned ?? false;
    // What is handed over later must not be shared until then: the copy is taken while the caller still keeps it as it is.
    const takeNow = !owned && this.#link.capabilities.lossless;
    this.#buffered += this.#outbox.push(takeNow ? message.map(taken) : message, options?.lane ?? 1, owned || takeNow);
    if (this.#buffered > HIGH_WATER) this.#high = true;
    // The peer's credit must be heard, even by somebody who only sends.
    this.#start();
    this.#schedule();
  }

  allowLarge(): void {
    this.#link.allowLarge();
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
    this.#grant();
  }

  close(reason = 'closed'): Promise<void> {
    if (this.#delivery.open && this.#outbox.goodbye === undefined) {
      this.#outbox.goodbye = reason;
      this.#patience = setTimeout(() => {
        this.destroy(`'${reason}' was not taken by ${this.remote} within ${CLOSE_PATIENCE_MS} ms`);
      }, CLOSE_PATIENCE_MS);
      this.#schedule();
      this.#start();
    }
    return this.#gone;
  }

  destroy(reason = 'cut here'): void {
    this.#finish('lost', reason);
    this.#link.destroy();
  }

  /** From the link: a whole message. */
  message(parts: Uint8Array[], lane: Lane): void {
    this.#delivery.message(parts, lane);
  }

  /** From the link: `weight` of lane 1 arrived. */
  arrived(weight: number): void {
    if (weight >= LONG_BYTES) this.heard = performance.now();
    this.#ungranted += weight;
    this.#grant();
  }

  /** For the link: what the peer may still send on lane 1. */
  get room(): number {
    return WINDOW_BYTES - this.#ungranted;
  }

  /** From the link: the peer took `weight` of lane 1. False if that is more than it was ever sent. */
  credited(weight: number): boolean {
    this.#outbox.credit += weight;
    if (weight > 0) this.#patience?.refresh();
    this.#flush();
    return this.#outbox.credit <= WINDOW_BYTES;
  }

  /** From the link: the peer said goodbye; nothing comes after it. */
  goodbye(reason: string): void {
    this.#finish('closed', reason);
    this.#link.destroy();
  }

  /** From the link: the peer broke the protocol. It is told so, if it listens; what else it says is not heard. */
  violated(message: string): void {
    if (!this.#delivery.open) return;
    this.#finish('protocol', `${this.remote} does not keep to the protocol: ${message}`);
    this.#outbox.goodbye = message;
    this.#parting = true;
    this.#patience = setTimeout(() => this.#link.destroy(), CLOSE_PATIENCE_MS);
    if (!this.#writing) this.#part();
  }

  #part(): void {
    this.#writing = true;
    this.#link.write(this.#outbox, () => this.#link.end());
  }

  /** From the link: it has ended; `error` says why if that was not asked for. */
  gone(error?: string): void {
    const { goodbye, goodbyeSent } = this.#outbox;
    if (this.#delivery.open) {
      if (goodbye !== undefined && goodbyeSent) this.#finish('closed', goodbye);
      else this.#finish('lost', error ?? `${this.remote} went away without closing`);
    }
    clearTimeout(this.#patience);
    this.#resolveGone();
  }

  #finish(code: 'closed' | 'lost' | 'protocol', message: string): void {
    clearTimeout(this.#patience);
    this.#outbox.clear();
    this.#buffered = 0;
    this.#delivery.close({ code, message });
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#link.start();
  }

  #grant(): void {
    if (this.#ungranted < GRANT_BYTES || !this.#delivery.taking || !this.#delivery.open) return;
    this.#outbox.grant += this.#ungranted;
    this.#ungranted = 0;
    this.#schedule();
  }

  /** What is accepted by one callback of the event loop, and the promises that it has resolved, leaves together. */
  #schedule(): void {
    if (this.#writing) return;
    this.#writing = true;
    if (this.#link.prompt) process.nextTick(this.#release);
    else setImmediate(this.#release);
  }

  readonly #release = (): void => {
    this.#writing = false;
    if (this.#parting) this.#part();
    else this.#flush();
  };

  #flush(): void {
    if (this.#writing || !this.#delivery.open) return;
    this.#writing = true;
    if (!this.#link.write(this.#outbox, this.#sent)) this.#writing = false;
  }

  readonly #sent = (weight: number): void => {
    this.#writing = false;
    this.#written = this.#outbox.taken;
    if (this.#parting) this.#part();
    if (!this.#delivery.open) return;
    this.#buffered -= weight;
    this.#patience?.refresh();
    if (this.#high && this.#buffered < LOW_WATER) {
      this.#high = false;
      this.#delivery.drained();
    }
    if (this.#outbox.goodbyeSent) this.#link.end();
    else this.#flush();
  };
}
