/**
 * The controller: lets engines and clients in, keeps the registry, routes calls and replies, and passes on what happens.
 * It runs no user code. Starting and stopping engines is the host's business (`host.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { ClusterEvent, ClusterParadigms, EngineInfo } from '../cluster-info.ts';
import { realClock } from '../deferred/clock.ts';
import { ProtocolError, UsageError, ValueLostError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import type { StoreProvider } from '../store/store.ts';
import { type Envelope, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Guest, type Key, keyToken, meet, mintKey } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import type { Connection } from '../wire/transport.ts';
import { Broker } from './broker.ts';
import { Calls } from './calls.ts';
import { ClientRecord } from './clients.ts';
import { type LivenessOptions, watchEngines } from './liveness.ts';
import { Offers } from './offers.ts';
import { Paradigms } from './paradigms.ts';
import { type EngineRecord, Registry } from './registry.ts';

export interface ControllerOptions extends LivenessOptions {
  name: string;
  /** ms that a cut-off client may take to come back. Default 10,000. */
  clientWindow?: number;
  /** Where paradigms keep what must outlive the controller. Default: in its memory. */
  stores?: StoreProvider;
  log?: Logger;
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
  readonly offers = new Offers();
  readonly #paradigms: Paradigms;
  #sessions = new Map<string, { session: Session; key: string; resumed(): void }>();
  #calls: Calls;
  #liveness: { stop(): void };
  #nextClient = 1;
  #clientWindow: number;
  #beat: number;
  #sizeNews: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#clientWindow = options.clientWindow ?? 10_000;
    this.#beat = options.beat ?? 1_000;
    this.registry = new Registry({
      changed: (event) => this.#changed(event),
      lost: (record, error) => {
        this.#calls.engineLost(record, error);
        this.#paradigms.engineLost(record, error);
      },
    });
    this.#calls = new Calls(this.registry, this.clients);
    this.broker = new Broker(this.registry, this.clients);
    this.#paradigms = new Paradigms({
      cluster: { id: this.id, name: this.name },
      registry: this.registry,
      offers: this.offers,
      sessionOf: (client) => this.clients.get(client)?.session,
      emit: (event) => this.#changed(event),
      store: (paradigm) => options.stores?.open(paradigm) ?? noStore(),
      log: options.log ?? silentLogger,
      clock: options.clock ?? realClock,
    });
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

  /** Paradigms that can be used here, and plug-ins that cannot. */
  paradigms(): ClusterParadigms {
    return { paradigms: this.#paradigms.infos(), failed: this.offers.failed };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#liveness.stop();
    await this.#paradigms.close();
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
    const client = new ClientRecord(this.#nextClient++, guest.role === 'observer');
    let gone: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(gone);
      if (!this.clients.delete(client.id)) return;
      this.#sessions.delete(session.id);
      client.rpc.fail(new ValueLostError('The client that held the value has left'));
      this.#calls.clientLeft(client);
      this.#paradigms.clientLeft(client);
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
    client.rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), {
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
    this.#paradigms.clientJoined(client);
    session.attach(connection, 0);
    this.#changed({ type: 'client-joined', client: client.id });
  }

  #admitEngine(guest: Guest, connection: Connection): void {
    const record = this.registry.byKey(guest.key) ?? this.registry.expect(mintKey('e'));
    if (record.session) this.registry.lost(record, 'it joined anew');
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#fromEngine(record, header, payloads),
      beat: (header) => {
        record.info.memory = header.beat?.rss ?? 0;
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
    this.#paradigms.engineJoined(record, session);
    const { host, pid, kind, cwd, node } = guest.about as EngineInfo;
    const transport = connection.remote.split(':')[0] ?? '';
    this.registry.joined(record, { host, pid, kind, cwd, node, transport });
  }

  #fromClient(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.#paradigms.fromClient(client, header, payloads);
      return;
    }
    if (client.rpc.receive(header, payloads)) return;
    if (header.kind === Kind.CALL) this.#calls.forward(client, header, payloads);
    else if (client.observer) throw new ProtocolError('An observer can watch this cluster, not change it');
    else if (header.kind === Kind.EVENT && header.op === 'code') this.broker.keepCode(header, payloads);
    else if (header.kind === Kind.RELEASE) {
      const { kind, ids, targets } = header;
      for (const engine of targets) this.registry.engines.get(engine)?.session?.send({ kind, ids, client: client.id });
    } else throw new ProtocolError(`A client sent a message of kind ${header.kind}`);
  }

  #fromEngine(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.#paradigms.fromEngine(record, header, payloads);
      return;
    }
    if (record.rpc?.receive(header, payloads)) return;
    if (header.kind === Kind.REPLY) this.#calls.answer(record, header, payloads);
    else if (header.kind === Kind.OUTPUT && payloads[0]) this.output(record, header, payloads[0]);
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
    const engines = event.type.startsWith('engine') ? this.registry.infos() : undefined;
    for (const client of this.clients.values()) client.event('changed', { event, engines });
    this.#paradigms.event(event);
    if (engines) this.#tellSize();
    if (event.type === 'engine-lost') this.#tellLoss(event.engine.id);
  }

  /** Engines that talk to each other directly want to know who is gone. */
  #tellLoss(engine: number): void {
    for (const { session } of this.registry.engines.values())
      session?.send({ kind: Kind.EVENT, op: 'engine-lost', engine });
  }

  /** Engines know how many they are. One message for all changes of a turn. */
  #tellSize(): void {
    this.#sizeNews ??= setImmediate(() => {
      this.#sizeNews = undefined;
      const there = [...this.registry.engines.values()].filter((record) => record.session);
      for (const { session } of there) session?.send({ kind: Kind.EVENT, op: 'size', id: there.length });
    });
  }
}

function noStore(): never {
  throw new UsageError('This controller has no stores');
}
