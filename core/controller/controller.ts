/**
 * The controller: lets engines and clients in, keeps the registry, routes calls and replies, and passes on what happens.
 * It runs no user code. Starting and stopping engines is the host's business (`host.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import { ProtocolError, ValueLostError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import { type Envelope, type Header, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Guest, type Key, keyToken, meet, mintKey } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import type { Connection } from '../wire/transport.ts';
import { Broker } from './broker.ts';
import { CallCounts } from './call-counts.ts';
import { Calls } from './calls.ts';
import { ClientRecord } from './clients.ts';
import { Journal } from './journal.ts';
import { type LivenessOptions, watchEngines } from './liveness.ts';
import { News } from './news.ts';
import { type EngineRecord, Registry } from './registry.ts';
import { addTraffic, noTraffic, trafficOf } from './traffic.ts';

export interface ControllerOptions extends LivenessOptions {
  name: string;
  /** ms that a cut-off client may take to come back. Default 10,000. */
  clientWindow?: number;
  log?: Logger | undefined;
}

export class Controller {
  /** Of this run of the cluster. */
  readonly id = randomUUID();
  readonly name: string;
  readonly registry: Registry;
  /** Lets clients in; in the connection file. */
  readonly clientKey: Key = mintKey('c');
  /** Lets engines join by themselves; each gets a key of its own then. */
  readonly joinKey: Key = mintKey('j');
  /** Requests of clients that the host answers: starting engines, stopping, status. */
  readonly requests: Record<string, RequestHandler> = {};
  readonly clients = new Map<number, ClientRecord>();
  readonly broker: Broker;
  readonly log: Logger;
  readonly callCounts = new CallCounts();
  /** What went over sessions of clients that have left. */
  readonly pastClients = noTraffic();
  #sessions = new Map<string, { session: Session; key: string; resumed(): void }>();
  #calls: Calls;
  #liveness: { stop(): void };
  #nextClient = 1;
  #clientWindow: number;
  #beat: number;
  #news: News;
  #journal: Journal;
  #closed = false;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.log = options.log ?? silentLogger;
    this.#clientWindow = options.clientWindow ?? 10_000;
    this.#beat = options.beat ?? 1_000;
    this.registry = new Registry({
      changed: (event) => this.#changed(event),
      lost: (record, error) => this.#calls.engineLost(record, error),
    });
    this.#news = new News(this.clients, this.registry.engines);
    this.#journal = new Journal(this.log, this.registry.engines);
    this.#calls = new Calls(this.registry, this.clients, this.callCounts, this.log);
    this.broker = new Broker(this.registry, this.clients);
    this.#liveness = watchEngines(this.registry, options);
  }

  /** Takes a connection that nobody has spoken on yet. */
  async accept(connection: Connection): Promise<void> {
    if (this.#closed) return connection.destroy('the controller has stopped');
    let guest: Guest;
    try {
      guest = await meet(connection, async (key) => this.#keyring(key));
    } catch {
      return; // turned away, and told why
    }
    if (this.#closed) return connection.destroy('the controller has stopped');
    for (const [id, { session }] of this.#sessions) if (session.ended) this.#sessions.delete(id);
    const opened = this.#sessions.get(guest.session);
    const known = opened?.key === guest.key ? opened : undefined;
    if (known?.session.resumable(guest.received)) {
      guest.welcome({ session: guest.session, resumed: true, received: known.session.received, about: {} });
      known.session.attach(connection, guest.received);
      known.resumed();
    } else if (guest.session) {
      guest.welcome({ session: guest.session, resumed: false, received: 0, about: {} });
      void connection.close('this session cannot be resumed here');
      known?.session.lose('its messages since the cut are more than are kept for a replay');
    } else if (guest.role === 'engine') this.#admitEngine(guest, connection);
    else this.#admitClient(guest, connection);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#liveness.stop();
    this.#news.flush();
    this.#news.stop();
    const clients = [...this.clients.values()].map((client) => client.session.close('the cluster has stopped'));
    await Promise.all(clients);
    for (const { session } of this.#sessions.values()) session.abandon('the cluster has stopped');
  }

  #keyring(key: string): { secret: string; roles: string[] } | undefined {
    if (key === this.clientKey.id) return { secret: this.clientKey.secret, roles: ['client', 'observer'] };
    if (key === this.joinKey.id) return { secret: this.joinKey.secret, roles: ['engine'] };
    const record = this.registry.byKey(key);
    return record && { secret: record.key.secret, roles: ['engine'] };
  }

  #admitClient(guest: Guest, connection: Connection): void {
    this.#news.flush(); // older than what this client is told at its welcome
    const client = new ClientRecord(this.#nextClient++, guest.role === 'observer', () => this.#news.flush());
    let gone: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(gone);
      if (!this.clients.delete(client.id)) return;
      this.#sessions.delete(session.id);
      addTraffic(this.pastClients, trafficOf(session));
      client.rpc.fail(new ValueLostError('The client that held the value has left'));
      this.#calls.clientLeft(client);
      this.#changed({ type: 'client-left', client: client.id });
    };
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#fromClient(client, header, payloads),
      disconnected: () => {
        gone = setTimeout(() => {
          session.abandon('the client did not come back');
          leave();
        }, this.#clientWindow);
      },
      ended: leave,
    });
    client.session = session;
    const send = (header: Header, payloads: readonly Payload[], owned?: boolean): void => {
      this.#news.flush();
      session.send(header, payloads, owned);
    };
    client.rpc = new Rpc(send, {
      ...this.broker.forClient(client),
      ...(client.observer ? { status: this.requests.status! } : this.requests),
    });
    this.clients.set(client.id, client);
    this.#sessions.set(session.id, { session, key: guest.key, resumed: () => clearTimeout(gone) });
    guest.welcome({
      session: session.id,
      resumed: false,
      received: 0,
      about: { client: client.id, cluster: this.id, name: this.name, engines: this.registry.infos() },
    });
    session.attach(connection, 0);
    this.#changed({ type: 'client-joined', client: client.id });
  }

  #admitEngine(guest: Guest, connection: Connection): void {
    const record = this.registry.byKey(guest.key) ?? this.registry.expect(mintKey('e'));
    if (record.session) this.registry.lost(record, 'it joined anew');
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#fromEngine(record, header, payloads),
      beat: (header) => {
        record.beat = header.beat ?? {};
        record.info.memory = record.beat.rss ?? 0;
      },
      disconnected: () => this.registry.state(record, 'disconnected'),
      ended: (reason) => {
        if (record.session !== session) return;
        // A thread that has ended: its launcher is about to tell how.
        if (connection.capabilities.lossless) this.registry.state(record, 'disconnected');
        else this.registry.lost(record, reason);
      },
    });
    record.session = session;
    record.rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), {
      ...this.broker.forEngine(record),
    });
    this.#sessions.set(session.id, {
      session,
      key: guest.key,
      resumed: () => this.registry.state(record, 'alive'),
    });
    guest.welcome({
      session: session.id,
      resumed: false,
      received: 0,
      about: {
        engine: record.id,
        incarnation: record.info.incarnation + 1,
        token: keyToken(record.key),
        beat: this.#beat,
      },
    });
    session.attach(connection, 0);
    const { host, pid, kind, cwd, node } = guest.about as EngineInfo;
    const transport = connection.remote.split(':')[0] ?? '';
    this.registry.joined(record, { host, pid, kind, cwd, node, transport });
  }

  #fromClient(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    if (client.rpc.receive(header, payloads)) return;
    if (header.kind === Kind.CALL) {
      this.#news.flushSize();
      this.#calls.forward(client, header, payloads);
    } else if (client.observer) throw new ProtocolError('An observer can watch this cluster, not change it');
    else if (header.kind === Kind.EVENT && header.op === 'code') this.broker.keepCode(header, payloads);
    else if (header.kind === Kind.RELEASE) {
      const { kind, ids, targets } = header;
      for (const engine of targets) this.registry.engines.get(engine)?.session?.send({ kind, ids, client: client.id });
    } else throw new ProtocolError(`A client sent a message of kind ${header.kind}`);
  }

  #fromEngine(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    if (record.rpc?.receive(header, payloads)) return;
    if (header.kind === Kind.REPLY) this.#calls.answer(record, header, payloads);
    else if (header.kind === Kind.OUTPUT && payloads[0]) this.output(record, header, payloads[0]);
    else if (header.kind === Kind.EVENT && header.op === 'log' && payloads[0])
      this.#journal.line(record.id, payloads[0]);
    else throw new ProtocolError(`An engine sent a message of kind ${header.kind}`);
  }

  /** Output of an engine: to the client whose call printed it, or to all when no call did. */
  output(record: EngineRecord, header: { client: number; id: number; stream: number }, text: Payload): void {
    for (const part of text.parts) this.registry.output(record, Buffer.from(part).toString());
    const owner = header.client ? this.clients.get(header.client) : undefined;
    if (owner) owner.output(record.id, header.id, header.stream, text);
    else if (!header.client)
      for (const client of this.clients.values()) client.output(record.id, 0, header.stream, text);
  }

  #changed(event: ClusterEvent): void {
    this.#journal.changed(event);
    this.#news.tell(event);
  }
}
