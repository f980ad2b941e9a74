/** What engines and clients want of each other through the controller: code, direct channels, values. */
import type { ConnectionInfo } from '../cluster-info.ts';
import { EngineLostError, ProtocolError, ValueLostError } from '../errors.ts';
import { payloadBytes } from '../wire/codec.ts';
import { type Envelope, payloadText } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { keyToken, mintKey } from '../wire/handshake.ts';
import { isLoopback } from '../wire/loopback.ts';
import { answering, type RequestHandler } from '../wire/rpc.ts';
import type { Authorities } from './authorities.ts';
import type { ClientRecord } from './clients.ts';
import { CodeShelf } from './code-shelf.ts';
import { exceeded, type Limits } from './limits.ts';
import type { EngineRecord, Registry } from './registry.ts';

export class Broker {
  /** A folder that engines of this host share, for their sockets. */
  folder: (() => string) | undefined;
  /** An address beneath which engines of different hosts find each other. */
  meeting: (() => string | undefined) | undefined;
  /** How a client on an engine comes in, by a key of its own. */
  nested: ((record: EngineRecord) => Promise<ConnectionInfo>) | undefined;
  /** Where other machines reach this one, if they do. */
  address: () => string | undefined = () => undefined;
  /** Signs the certificates with which engines of different machines talk. */
  authorities: Pick<Authorities, 'sign' | 'trusted'> | undefined;
  #registry: Registry;
  #clients: ReadonlyMap<number, ClientRecord>;
  #limits: Limits;
  #code: CodeShelf;

  constructor(registry: Registry, clients: ReadonlyMap<number, ClientRecord>, limits: Limits) {
    this.#registry = registry;
    this.#clients = clients;
    this.#limits = limits;
    this.#code = new CodeShelf(limits.codeBytes);
  }

  forClient(client: ClientRecord): Record<string, RequestHandler> {
    if (client.observer) return {};
    return {
      fetch: (header) => this.#fetch(client, header),
    };
  }

  forEngine(record: EngineRecord): Record<string, RequestHandler> {
    return {
      code: (header) => this.#codeFor(header),
      ticket: answering((target: number) => this.#ticket(record, target)),
      certify: answering((wish: { publicKey: string; address: string }) => this.#certify(record, wish)),
      value: (header) => this.#valueOfClient(header),
      'value-there': (header) => this.#valueOfClient(header),
      client: answering(async () => this.nested?.(record)),
      place: answering((need: { client?: number }) => this.#placeOf(need)),
    };
  }

  /** Code of a client, known by its hash while the client is there. */
  keepCode(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    for (const [i, hash] of header.code.entries()) {
      if (!this.#code.keep(client.id, hash, payloads[i])) client.account.codeRefused = true;
    }
  }

  /** Throws LimitError for code that was sent and not kept. */
  checkCode(client: ClientRecord, hashes: readonly string[]): void {
    if (!client.account.codeRefused || hashes.every((hash) => this.#code.get(hash))) return;
    const { codeBytes } = this.#limits;
    throw client.limit(exceeded('codeBytes', codeBytes, `Client ${client.id} has sent too much code`));
  }

  /** Throws LimitError for code that was sent and not kept. */
  textOf(hash: string): string {
    const text = this.#code.get(hash);
    if (text) return payloadText(text);
    throw exceeded('codeBytes', this.#limits.codeBytes, `Code ${hash} is not kept: its client has sent too much`);
  }

  /** Pieces of code that are kept. */
  get codeKept(): number {
    return this.#code.size;
  }

  clientLeft(client: ClientRecord): void {
    this.#code.clientLeft(client.id);
    client.fetches.clear();
  }

  /** Engines ask for code that they have not seen. */
  #codeFor(header: Envelope): { payloads: Payload[] } {
    return {
      payloads: header.code.map((hash) => {
        const text = this.#code.get(hash);
        if (!text) throw new ProtocolError(`Code ${hash} is not known to the controller`);
        return text;
      }),
    };
  }

  /** A single-use key for a direct channel from one engine to another, and where the other now listens for it. */
  async #ticket(from: EngineRecord, target: number): Promise<{ url: string; token: string; incarnation: number }> {
    const record = this.#registry.get(target);
    if (!record.rpc) throw new EngineLostError(`Engine ${target} was lost`, { engine: target });
    const token = keyToken(mintKey('t'));
    const { incarnation } = record.info;
    const sameHost = from.info.host === record.info.host;
    const sameProcess = sameHost && from.info.pid === record.info.pid;
    const meeting = sameHost ? undefined : this.meeting?.();
    const address = sameHost || meeting ? undefined : this.#addressOf(record);
    const scheme = sameProcess ? 'thread' : sameHost && this.folder ? 'unix' : address ? 'tls' : 'tcp';
    const url = await record.rpc.ask('ticket', {
      token,
      from: from.id,
      incarnation: from.info.incarnation,
      scheme,
      address,
      dir: scheme === 'unix' ? this.folder?.() : undefined,
      ...(meeting && { meeting }),
    });
    return { url, token, incarnation };
  }

  /** Where engines of other machines reach it: where its own connection comes from, or, beside the controller, where that is reached. */
  #addressOf({ remote }: EngineRecord): string | undefined {
    const [, host] = /^(?:tcp|tls|wss?):\/\/(\[[\da-f:.]+\]|[^:/]+)/i.exec(remote) ?? [];
    if (host && !isLoopback(host)) return host;
    return host || /^(?:unix|thread|inline):/.test(remote) ? this.address() : undefined;
  }

  async #certify(
    record: EngineRecord,
    { publicKey, address }: { publicKey: string; address: string },
  ): Promise<unknown> {
    const hosts = address && address === this.#addressOf(record) ? [address.replace(/^\[(.*)\]$/, '$1')] : [];
    if (!this.authorities) throw new ProtocolError('No authority here');
    const cert = await this.authorities.sign(publicKey, `tutti engine ${record.id}`, hosts);
    return { cert, ca: await this.authorities.trusted() };
  }

  /** A small result that its engine has passed on already is fetched from the client that holds it. */
  async #valueOfClient(header: Envelope): Promise<{ payloads: Payload[] }> {
    const need = header.needs[0];
    const client = this.#clients.get(need?.client ?? 0);
    if (!need || !client) throw new ValueLostError('The client that held the value has left');
    return { payloads: await client.rpc.request(header.op, { needs: [need] }) };
  }

  /** Where a result is made that is not placed yet: its client will know. */
  async #placeOf(need: { client?: number }): Promise<unknown> {
    const client = this.#clients.get(need?.client ?? 0);
    if (!client) throw new ValueLostError('The client that waits for the value has left');
    return client.rpc.ask('place', need);
  }

  /** A result that stayed on its engine, wanted by its client. */
  async #fetch(client: ClientRecord, header: Envelope): Promise<{ payloads: Payload[]; owned: boolean }> {
    const record = this.#registry.get(header.engine);
    const call = header.ids[0] ?? 0;
    const { account, fetches } = client;
    const { pendingCalls } = this.#limits;
    if (fetches.waiting >= pendingCalls)
      throw client.limit(exceeded('pendingCalls', pendingCalls, `Client ${client.id} waits for too many results`));
    const payloads = await fetches.run(account.bytesOf(record.id, call), () => this.#fetchNow(client, record, call));
    return { payloads, owned: true };
  }

  async #fetchNow(client: ClientRecord, record: EngineRecord, call: number): Promise<Payload[]> {
    const lost = `The result stayed on engine ${record.id}, which was lost before it was fetched`;
    if (!record.rpc) throw new ValueLostError(lost);
    const request = { needs: [{ client: client.id, call, engine: record.id }] };
    const payloads = await record.rpc.request('fetch', request).catch((error) => {
      if (!(error instanceof EngineLostError)) throw error;
      throw new ValueLostError(lost, { cause: error });
    });
    client.account.release(record.id, new Set([call]));
    for (const payload of payloads) client.fetched(payloadBytes(payload));
    return payloads;
  }
}
