/**
 * A client written from protocol.md and tutti.proto alone, as one in another language would be: it shares no code with
 * tutti. Small messages only: it writes one frame each and never grants credit.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import protobuf from 'protobufjs';

const schema = protobuf.parse(readFileSync(new URL('../wire/tutti.proto', import.meta.url), 'utf8')).root;
const Envelope = schema.lookupType('tutti.Envelope');
const kinds = schema.lookupEnum('tutti.Kind').values as Record<string, number>;
const JSON_CODEC = 1;

/** The envelope, with defaults filled in, and the values of its JSON payloads. */
export interface Heard {
  header: any;
  values: unknown[];
}

export class ForeignClient {
  welcome: any;
  #socket: net.Socket;
  #bytes = Buffer.alloc(0);
  #heard: Heard[] = [];
  #wake = (): void => {};

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = net.connect(Number(port), hostname);
    this.#socket.on('data', (data) => this.#read(data));
  }

  async join(token: string): Promise<void> {
    const [key, secret] = token.split('.') as [string, string];
    const role = 'client';
    const mine = randomBytes(32);
    const about = Buffer.from(JSON.stringify({ language: 'other' }));
    this.send({ kind: kinds.HELLO, hello: { version: 1, role, key, nonce: mine, about } }, []);
    const { challenge } = (await this.next('CHALLENGE')).header;
    const prove = (side: string): Buffer => {
      const mac = createHmac('sha256', Buffer.from(secret, 'hex'));
      for (const piece of [side, mine, challenge.nonce, role, key].map((p) => Buffer.from(p)))
        mac.update(`${piece.length}:`).update(piece);
      return mac.digest();
    };
    if (!timingSafeEqual(prove('listener'), challenge.proof)) throw new Error('a false controller');
    this.send({ kind: kinds.PROOF, proof: prove('dialler') }, []);
    const { welcome } = (await this.next('WELCOME')).header;
    this.welcome = JSON.parse(welcome.about.toString());
  }

  /** One frame, FIRST and LAST, on lane 1. */
  send(header: object, values: unknown[]): void {
    const payloads = values.map(() => ({ codec: JSON_CODEC, parts: 1 }));
    const bodies = values.map((value) => Buffer.from(JSON.stringify(value)));
    const parts = [Buffer.from(Envelope.encode(Envelope.create({ ...header, payloads })).finish()), ...bodies];
    const table = Buffer.alloc(4 + 4 * parts.length);
    table.writeUInt32LE(parts.length, 0);
    for (const [i, part] of parts.entries()) table.writeUInt32LE(part.length, 4 + 4 * i);
    const payload = Buffer.concat([table, ...parts]);
    const head = Buffer.alloc(5);
    head.writeUInt32LE(payload.length, 0);
    head[4] = 0x10 | 0x20 | 1;
    this.#socket.write(Buffer.concat([head, payload]));
  }

  /** The next message of a kind (with this id); what comes between is not for us. */
  async next(kind: string, id?: number): Promise<Heard> {
    for (;;) {
      for (let heard = this.#heard.shift(); heard; heard = this.#heard.shift()) {
        if (heard.header.kind === kinds.REFUSED) throw new Error(heard.header.error);
        if (heard.header.kind === kinds[kind] && (id === undefined || heard.header.id === id)) return heard;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async call(id: number, op: string, targets: number[], args: unknown[]): Promise<Heard> {
    this.send({ kind: kinds.CALL, id, op, targets }, [args]);
    return this.next('REPLY', id);
  }

  async request(id: number, op: string, value: unknown): Promise<Heard> {
    this.send({ kind: kinds.REQUEST, id, op }, [value]);
    return this.next('RESPONSE', id);
  }

  /** GOODBYE, so that the controller need not wait for us to come back. */
  leave(): void {
    this.send({ kind: kinds.GOODBYE, error: 'that was all' }, []);
    this.#socket.end();
  }

  #read(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    while (this.#bytes.length >= 5 && this.#bytes.length >= 5 + this.#bytes.readUInt32LE(0)) {
      const length = this.#bytes.readUInt32LE(0);
      const flags = this.#bytes[4]!;
      const payload = this.#bytes.subarray(5, 5 + length);
      this.#bytes = this.#bytes.subarray(5 + length);
      if ((flags & 0x30) === 0x30) this.#message(payload);
    }
    this.#wake();
  }

  #message(payload: Buffer): void {
    const count = payload.readUInt32LE(0);
    let at = 4 + 4 * count;
    const parts = Array.from({ length: count }, (_, i) => {
      const length = payload.readUInt32LE(4 + 4 * i);
      at += length;
      return payload.subarray(at - length, at);
    });
    const header: any = Envelope.toObject(Envelope.decode(parts[0]!), { defaults: true });
    const values = header.payloads.map(({ codec }: any, i: number) =>
      codec === JSON_CODEC ? JSON.parse(parts[1 + i]!.toString()) : undefined,
    );
    this.#heard.push({ header, values });
  }
}
