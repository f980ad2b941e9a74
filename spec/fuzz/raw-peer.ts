/** A peer over a bare socket: it can shake hands, and write any bytes. */
import { createHmac, randomBytes } from 'node:crypto';
import net from 'node:net';
import { decode, encode } from '../../core/wire/codec.ts';
import { type Envelope, type Header, Kind, PROTOCOL_VERSION, pack, unpack } from '../../core/wire/envelope.ts';
import { CLOSE, FIRST, LAST } from '../../core/wire/framing.ts';
import { parseToken, type Role } from '../../core/wire/handshake.ts';

export function frame(flags: number, payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(length, 0);
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

/** The parts as one frame. */
export function whole(parts: readonly Uint8Array[], lane = 1): Buffer {
  const table = Buffer.alloc(4 + 4 * parts.length);
  table.writeUInt32LE(parts.length, 0);
  for (const [i, part] of parts.entries()) table.writeUInt32LE(part.length, 4 + 4 * i);
  return frame(lane | FIRST | LAST, Buffer.concat([table, ...parts]));
}

/** How the other side took it: `dropped` with its reasons, `gone` without a word. */
export interface End {
  refused: string[];
  closed: string[];
}

export class RawPeer {
  /** As the other side sees us. */
  readonly remote: string;
  readonly end: End = { refused: [], closed: [] };
  /** Resolves when the socket is closed. */
  readonly gone: Promise<void>;
  #socket: net.Socket;
  #bytes = Buffer.alloc(0);
  #waiting = new Set<{
    wanted: (header: Envelope) => boolean;
    take: (got: { header: Envelope; parts: Buffer[] }) => void;
  }>();

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.remote = `tcp://127.0.0.1:${socket.localPort}`;
    socket.on('data', (data) => this.#read(data));
    socket.on('error', () => {});
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static open(url: string): Promise<RawPeer> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname);
      socket.once('error', reject).once('connect', () => resolve(new RawPeer(socket.off('error', reject))));
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  say(header: Header): void {
    this.write(whole(pack(header)));
  }

  /** What the welcome says. Rejects when it was turned away. */
  async shakeHands(role: Role, token: string, about: unknown = {}): Promise<any> {
    const key = parseToken(token);
    const mine = randomBytes(32);
    const hello = {
      version: PROTOCOL_VERSION,
      role,
      key: key.id,
      nonce: mine,
      about: Buffer.from(JSON.stringify(about)),
    };
    this.say({ kind: Kind.HELLO, hello });
    const { challenge } = (await this.next((header) => header.kind === Kind.CHALLENGE)).header;
    const mac = createHmac('sha256', Buffer.from(key.secret, 'hex'));
    for (const piece of ['dialler', mine, challenge!.nonce!, role, key.id].map((p) => Buffer.from(p as string)))
      mac.update(`${piece.length}:`).update(piece);
    this.say({ kind: Kind.PROOF, proof: mac.digest() });
    const { welcome } = (await this.next((header) => header.kind === Kind.WELCOME)).header;
    return JSON.parse(Buffer.from(welcome!.about!).toString());
  }

  /** Request and answer, each one value. Rejects when the connection ends before, or the answer is a failure. */
  async ask(id: number, op: string, value?: unknown): Promise<any> {
    this.write(whole(pack({ kind: Kind.REQUEST, id, op }, [encode(value)])));
    const { header, parts } = await this.next((h) => h.kind === Kind.RESPONSE && h.id === id);
    const { payloads } = unpack(parts);
    const answer = payloads[0] && decode(payloads[0]);
    if (header.failed) throw answer;
    return answer;
  }

  next(wanted: (header: Envelope) => boolean): Promise<{ header: Envelope; parts: Buffer[] }> {
    return new Promise((resolve, reject) => {
      const waiter = { wanted, take: resolve };
      this.#waiting.add(waiter);
      void this.gone.then(() => reject(new Error(`closed: ${[...this.end.refused, ...this.end.closed].join('; ')}`)));
    });
  }

  /** No more from us; the other side then closes. */
  finish(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  #read(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    while (this.#bytes.length >= 5 && this.#bytes.length >= 5 + this.#bytes.readUInt32LE(0)) {
      const length = this.#bytes.readUInt32LE(0);
      const flags = this.#bytes[4]!;
      const payload = this.#bytes.subarray(5, 5 + length);
      this.#bytes = this.#bytes.subarray(5 + length);
      if (flags === CLOSE) {
        this.end.closed.push(payload.toString());
        this.#socket.end();
      } else if ((flags & (FIRST | LAST)) === (FIRST | LAST)) this.#message(payload);
    }
  }

  #message(payload: Buffer): void {
    const count = payload.readUInt32LE(0);
    let at = 4 + 4 * count;
    const parts = Array.from({ length: count }, (_, i) => {
      at += payload.readUInt32LE(4 + 4 * i);
      return payload.subarray(at - payload.readUInt32LE(4 + 4 * i), at);
    });
    const { header } = unpack(parts);
    if (header.kind === Kind.REFUSED) this.end.refused.push(header.error);
    for (const waiter of this.#waiting) {
      if (!waiter.wanted(header)) continue;
      this.#waiting.delete(waiter);
      waiter.take({ header, parts });
    }
  }
}
