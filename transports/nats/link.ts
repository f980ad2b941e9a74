import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { FrameAssembler } from '../../core/wire/frame-assembler.ts';
import { FrameBatch } from '../../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../../core/wire/frame-outbox.ts';
import { FrameReader } from '../../core/wire/frame-reader.ts';
import { cut } from '../../core/wire/framing.ts';
import type { Capabilities } from '../../core/wire/transport.ts';
import { DATA_HEADER, numberPacket, Packet, viewOf } from './packets.ts';

/**
 * Bytes under way that the peer has not confirmed, of both lanes. A server drops who lets more than it likes pile up there, or
 * takes nothing for ten seconds: so little fits into the buffers of the system, however long the peer computes.
 */
const WINDOW = 2 * 1024 * 1024;
const CONFIRM = WINDOW / 4;
/** Of one packet, where the servers allow more. */
const LARGEST = 512 * 1024;
/** ms. What is sent to somebody who has gone comes back at once, so who has nothing to say asks now and then. */
const PROBE = 1_000;
/** ms that the last words may take. */
const FAREWELL = 500;

/** Why a link ends where its server is about to stop and there are others. */
export const LEAVING = 'its NATS server is about to stop; there are others';

export interface NatsLinkOptions {
  readonly remote: string;
  /** Where this end listens, and the other one. */
  readonly own: string;
  readonly peer: string;
  /** What a packet may have at both ends' servers. */
  readonly largest: number;
}

/**
 * Frames over a connection to NATS that is this link's alone. NATS delivers in order, at most once: packets have numbers, and
 * where one is missing the link is lost, like a socket that was cut. It is lost as well with its connection to the server,
 * even if that would come back; sessions go on over another link.
 */
export class NatsLink implements Link {
  readonly capabilities: Capabilities = {
    sharedMemory: false,
    transfer: false,
    maxMessage: MAX_MESSAGE_BYTES,
    crossHost: true,
    lossless: false,
  };
  readonly prompt = true;
  readonly remote: string;
  readonly connection: FrameConnection;
  readonly #nc: NatsConnection;
  readonly #peer: string;
  /** A server answers to it when nobody listens at the peer's subject any more. */
  readonly #reply: { reply: string };
  readonly #piece: number;
  readonly #assembler: FrameAssembler;
  readonly #reader: FrameReader;
  readonly #batch = new FrameBatch();
  readonly #probe: NodeJS.Timeout;
  #early: Msg[] | undefined = [];
  #sentPackets = 0;
  #receivedPackets = 0;
  #sentBytes = 0;
  #confirmedBytes = 0;
  #receivedBytes = 0;
  #toldBytes = 0;
  #held: (() => void) | undefined;
  #spoke = true;
  #ended = false;

  constructor(nc: NatsConnection, { remote, own, peer, largest }: NatsLinkOptions) {
    this.#nc = nc;
    this.remote = remote;
    this.#peer = peer;
    this.#reply = { reply: own };
    this.#piece = Math.min(largest, LARGEST) - DATA_HEADER;
    this.connection = new FrameConnection(this);
    this.#assembler = new FrameAssembler(this.connection);
    this.#reader = new FrameReader(this.#assembler);
    this.#probe = setInterval(() => {
      if (!this.#spoke) this.#say(PROBE_PACKET);
      this.#spoke = false;
    }, PROBE).unref();
    void nc.closed().then((error) => this.lose(`NATS ended the connection${error ? `: ${error.message}` : ''}`));
  }

  /** What comes to this end's subject. */
  take(error: Error | null, msg: Msg): void {
    if (error) this.lose(`NATS does not deliver: ${error.message}`);
    else if (msg.headers?.code === 503) this.lose(`${this.remote} went away without closing`);
    else if (this.#early) this.#early.push(msg);
    else this.#receive(msg.data);
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { data } of early) this.#receive(data);
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const batch = this.#batch;
    const weight = cut(outbox, batch);
    if (!batch.finish()) return false;
    this.#send(batch.buffers);
    batch.reset(); // all of it has been copied
    const next = (): void => sent(weight);
    if (this.#sentBytes - this.#confirmedBytes < WINDOW) queueMicrotask(next);
    else this.#held = next;
    return true;
  }

  allowLarge(): void {
    this.#assembler.allowLarge();
  }

  /** The other end answers our goodbye with its own end. */
  end(): void {}

  destroy(): void {
    this.lose(undefined);
  }

  /** This end is gone, and the other is told so, if that is still possible. */
  lose(why: string | undefined): void {
    if (this.#ended) return;
    this.#say(CUT_PACKET);
    this.#ended = true;
    clearInterval(this.#probe);
    this.#held = undefined;
    this.#early = undefined;
    void closeSoon(this.#nc);
    setImmediate(() => this.connection.gone(why));
  }

  #receive(data: Uint8Array): void {
    if (this.#ended) return;
    const type = data[0];
    if (type === Packet.DATA) this.#read(data);
    else if (type === Packet.ACK && data.length === 9) this.#confirmed(viewOf(data).getFloat64(1, true));
    else if (type === Packet.CUT) this.lose(undefined);
  }

  #read(data: Uint8Array): void {
    if (data.length <= DATA_HEADER || viewOf(data).getUint32(1, true) !== this.#receivedPackets) {
      this.lose(`A packet from ${this.remote} was lost on its way through NATS`);
      return;
    }
    this.#receivedPackets = (this.#receivedPackets + 1) >>> 0;
    this.#receivedBytes += data.length - DATA_HEADER;
    if (this.#receivedBytes - this.#toldBytes >= CONFIRM) {
      this.#toldBytes = this.#receivedBytes;
      this.#say(numberPacket(Packet.ACK, this.#receivedBytes));
    }
    try {
      this.#reader.push(data, DATA_HEADER, data.length);
    } catch (error) {
      this.connection.violated((error as Error).message);
    }
  }

  #confirmed(bytes: number): void {
    if (bytes > this.#sentBytes) this.lose(`${this.remote} confirms what it was never sent`);
    else this.#confirmedBytes = bytes;
    if (!this.#held || this.#sentBytes - bytes >= WINDOW) return;
    const next = this.#held;
    this.#held = undefined;
    next();
  }

  /** Fills packets up, wherever the buffers end. */
  #send(buffers: readonly Uint8Array[]): void {
    let left = 0;
    for (const buffer of buffers) left += buffer.length;
    this.#sentBytes += left;
    let index = 0;
    let offset = 0;
    while (left > 0) {
      const size = Math.min(left, this.#piece);
      const bytes = Buffer.allocUnsafe(DATA_HEADER + size);
      bytes[0] = Packet.DATA;
      bytes.writeUInt32LE(this.#sentPackets, 1);
      this.#sentPackets = (this.#sentPackets + 1) >>> 0;
      for (let filled = 0; filled < size; ) {
        const buffer = buffers[index]!;
        const count = Math.min(size - filled, buffer.length - offset);
        bytes.set(buffer.subarray(offset, offset + count), DATA_HEADER + filled);
        filled += count;
        offset += count;
        if (offset === buffer.length) {
          index++;
          offset = 0;
        }
      }
      left -= size;
      this.#say(bytes);
    }
  }

  #say(bytes: Uint8Array): void {
    if (this.#ended || this.#nc.isClosed()) return;
    this.#spoke = true;
    this.#nc.publish(this.#peer, bytes, this.#reply);
  }
}

const PROBE_PACKET = Buffer.of(Packet.PROBE);
const CUT_PACKET = Buffer.of(Packet.CUT);

/** When what was published has left, or soon. */
export async function closeSoon(nc: NatsConnection): Promise<void> {
  if (nc.isClosed()) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL);
  });
  await Promise.race([nc.flush().catch(() => {}), late]);
  clearTimeout(timer);
  await nc.close().catch(() => {});
}
