/** What engines and clients want of each other through the controller: code, direct channels, values, an end to a call. */
import { EngineLostError, ProtocolError, ValueLostError } from '../errors.ts';
import { codeHash } from '../wire/code-hash.ts';
import { type Envelope, payloadText } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { keyToken, mintKey } from '../wire/handshake.ts';
import { answering, type RequestHandler } from '../wire/rpc.ts';
import type { ClientRecord } from './clients.ts';
import type { EngineRecord, Registry } from './registry.ts';

interface CancelOrder {
  call: number;
  targets: number[];
  reason: string;
}

export class Broker {
  /** A folder that engines of this host share, for their sockets. */
  folder: (() => string) | undefined;
  #registry: Registry;
  #clients: ReadonlyMap<number, ClientRecord>;
  #code = new Map<string, Payload>();

  constructor(registry: Registry, clients: ReadonlyMap<number, ClientRecord>) {
    this.#registry = registry;
    this.#clients = clients;
  }

  forClient(client: ClientRecord): Record<string, RequestHandler> {
    return {
      fetch: (header) => this.#fetch(client, header),
      cancel: answering((order: CancelOrder) => this.#cancel(client, order)),
    };
  }

  forEngine(record: EngineRecord): Record<string, RequestHandler> {
    return {
      code: (header) => this.#codeFor(header),
      ticket: answering((target: number) => this.#ticket(record, target)),
      value: (header) => this.#valueOfClient(header),
    };
  }

  /** Code of a client, known by its hash from now on. */
  keepCode(header: Envelope, payloads: Payload[]): void {
    for (const [i, hash] of header.code.entries()) {
      if (codeHash(payloadText(payloads[i])) !== hash) throw new ProtocolError('Code that does not match its hash');
      this.#code.set(hash, payloads[i]!);
    }
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
  async #ticket(from: EngineRecord, target: number): Promise<{ url: string; token: string }> {
    const record = this.#registry.get(target);
    if (!record.rpc) throw new EngineLostError(`Engine ${target} was lost`, { engine: target });
    const ticket = keyToken(mintKey('t'));
    const sameHost = from.info.host === record.info.host;
    const sameProcess = sameHost && from.info.pid === record.info.pid;
    const scheme = sameProcess ? 'thread' : sameHost && this.folder ? 'unix' : 'tcp';
    const url = await record.rpc.ask('ticket', {
      token: ticket,
      from: from.id,
      scheme,
      dir: scheme === 'unix' ? this.folder?.() : undefined,
    });
    return { url, token: ticket };
  }

  /** A small result that its engine has passed on already is fetched from the client that holds it. */
  async #valueOfClient(header: Envelope): Promise<{ payloads: Payload[] }> {
    const need = header.needs[0];
    const client = this.#clients.get(need?.client ?? 0);
    if (!need || !client) throw new ValueLostError('The client that held the value has left');
    return { payloads: await client.rpc.request('value', { needs: [need] }) };
  }

  /** Asks each target to let go of a call; an engine that is gone has nothing to let go of. */
  #cancel(client: ClientRecord, { call, targets, reason }: CancelOrder): Promise<string[]> {
    return Promise.all(
      targets.map(async (engine) => {
        const rpc = this.#registry.engines.get(engine)?.rpc;
        return rpc ? rpc.ask('cancel', { client: client.id, call, reason }).catch(() => 'done') : 'done';
      }),
    );
  }

  /** A result that stayed on its engine, wanted by its client. */
  async #fetch(client: ClientRecord, header: Envelope): Promise<{ payloads: Payload[]; owned: boolean }> {
    const record = this.#registry.get(header.engine);
    if (!record.rpc)
      throw new ValueLostError(`The result stayed on engine ${record.id}, which was lost before it was fetched`);
    const request = { needs: [{ client: client.id, call: header.ids[0] ?? 0, engine: record.id }] };
    const payloads = await record.rpc.request('fetch', request).catch((error) => {
      if (!(error instanceof EngineLostError)) throw error;
      throw new ValueLostError(`The result stayed on engine ${record.id}, which was lost before it was fetched`, {
        cause: error,
      });
    });
    return { payloads, owned: true };
  }
}
