/**
 * The controller: lets engines and clients in, keeps the registry, routes calls and replies, and passes on what happens.
 * It runs no user code. Starting and stopping engines is the host's business (`host.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { ClusterEvent, ClusterParadigms } from '../cluster-info.ts';
import { realClock } from '../deferred/clock.ts';
import { ProtocolError, TuttiError, ValueLostError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import { memoryStores } from '../store/memory-store.ts';
import type { StoreProvider } from '../store/store.ts';
import { type Envelope, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Guest, type Key, keyToken, mintKey } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import { Strangers } from '../wire/strangers.ts';
import type { Connection } from '../wire/transport.ts';
import { Broker } from './broker.ts';
import { CallCounts } from './call-counts.ts';
import { Calls } from './calls.ts';
import { watchClients } from './client-liveness.ts';
import { ClientRecord } from './clients.ts';
import { aboutEngine } from './engine-facts.ts';
import { Journal } from './journal.ts';
import { Keyring, type Lock } from './keyring.ts';
import { exceeded, type Limits, limitsOf } from './limits.ts';
import { type LivenessOptions, watchEngines } from './liveness.ts';
import { News } from './news.ts';
import { Offers } from './offers.ts';
import { Paradigms } from './paradigms.ts';
import { type EngineRecord, Registry } from './registry.ts';
import { addTraffic, noTraffic, trafficOf } from './traffic.ts';

export interface ControllerOptions extends LivenessOptions {
  name: string;
  /** ms that a cut-off client may take to come back. Default 10,000. */
  clientWindow?: number | undefined;
  /** What clients and strangers may take; the others keep their defaults. */
  limits?: Partial<Limits> | undefined;
  /** Where paradigms keep what must outlive the controller; whoever gives it closes it. Default: memory, and nothing outlives. */
  stores?: StoreProvider | undefined;
  log?: Logger | undefined;
}

/** A session, and what belongs to it. */
interface Opened {
  session: Session;
  key: string;
  resumed(): void;
  /** Ends it, and tells the peer why. */
  end(reason: string): void;
}

/** Sessions that were ended here, so that their clients can be told why when they come back. */
const ENDED_KEPT = 1_024;

export class Controller {
  /** Of this run of the cluster. */
  readonly id = randomUUID();
  readonly name: string;
  readonly registry: Registry;
  readonly limits: Limits;
  readonly keys = new Keyring();
  /** Lets clients in; in the connection file. */
  readonly clientKey: Key = this.keys.mint('c', ['client', 'observer']);
  /** Lets in who only watches. */
  readonly observerKey: Key = this.keys.mint('o', ['observer']);
  /** Lets engines join by themselves; each gets a key of its own then. */
  readonly joinKey: Key = this.keys.mint('j', ['engine']);
  /** Requests of clients that the host answers: starting engines, stopping, status. */
  readonly requests: Record<string, RequestHandler> = {};
  readonly clients = new Map<number, ClientRecord>();
  readonly broker: Broker;
  readonly log: Logger;
  readonly callCounts = new CallCounts();
  /** What went over sessions of clients that have left. */
  readonly pastClients = noTraffic();
  readonly offers = new Offers();
  readonly #paradigms: Paradigms;
  #sessions = new Map<string, Opened>();
  #ended = new Map<string, string>();
  #strangers: Strangers;
  #calls: Calls;
  #liveness: { stop(): void }[];
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
    this.limits = limitsOf(options.limits);
    this.#strangers = new Strangers(this.limits.strangers, this.log);
    this.registry = new Registry({
      changed: (event) => this.#changed(event),
      lost: (record, error) => {
        this.#calls.engineLost(record, error);
        this.#paradigms.engineLost(record, error);
      },
    });
    this.#news = new News(this.clients, this.registry.engines);
    this.#journal = new Journal(this.log, this.registry.engines);
    this.broker = new Broker(this.registry, this.clients, this.limits);
    const { broker, limits, callCounts: counts, log } = this;
    this.#calls = new Calls(this.registry, this.clients, { broker, limits, counts, log });
    const { stores = memoryStores() } = options;
    this.#paradigms = new Paradigms({
      cluster: { id: this.id, name: this.name },
      registry: this.registry,
      offers: this.offers,
      clients: this.clients,
      emit: (event) => this.#changed(event),
      store: (paradigm) => stores.open(paradigm),
      log,
      clock: options.clock ?? realClock,
    });
    this.#liveness = [
      watchEngines(this.registry, options),
      watchClients(this.clients, { beat: this.#beat, window: this.#clientWindow, clock: options.clock }),
    ];
  }

  /** Takes a connection that nobody has spoken on yet. */
  async accept(connection: Connection): Promise<void> {
    if (this.#closed) return connection.destroy('the controller has stopped');
    const guest = await this.#strangers.meet(connection, async (key) => this.#lock(key));
    if (!guest) return; // turned away, and told why
    if (this.#closed) return connection.destroy('the controller has stopped');
    try {
      this.#admit(guest, connection);
    } catch (error) {
      this.log.error('a guest could not be let in', { remote: connection.remote, error });
      connection.destroy('the controller could not let you in');
    }
  }

  #admit(guest: Guest, connection: Connection): void {
    for (const [id, { session }] of this.#sessions) if (session.ended) this.#sessions.delete(id);
    const opened = this.#sessions.get(guest.session);
    const known = opened?.key === guest.key ? opened : undefined;
    if (known?.session.resumable(guest.received)) {
      guest.welcome({ session: guest.session, resumed: true, received: known.session.received, about: {} });
      known.session.attach(connection, guest.received);
      known.resumed();
    } else if (guest.session) {
      const reason = this.#ended.get(guest.session);
      guest.welcome({ session: guest.session, resumed: false, received: 0, about: { reason } });
      void connection.close(reason ?? 'this session cannot be resumed here');
      known?.session.lose('its messages since the cut are more than are kept for a replay');
    } else if (guest.role === 'engine') this.#admitEngine(guest, connection);
    else this.#admitClient(guest, connection);
  }

  /** Takes a key back, with all that came in with it. False: there is no such key. */
  revoke(key: string): boolean {
    const record = this.registry.byKey(key);
    if (!this.keys.drop(key) && !record) return false;
    if (record) record.key = mintKey('e');
    for (const opened of [...this.#sessions.values()]) if (opened.key === key) opened.end('its key was revoked');
    return true;
  }

  /** Paradigms that can be used here, and plug-ins that cannot. */
  paradigms(): ClusterParadigms {
    return { paradigms: this.#paradigms.infos(), failed: this.offers.failed };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#liveness) watch.stop();
    await this.#paradigms.close();
    this.#news.flush();
    this.#news.stop();
    const clients = [...this.clients.values()].map((client) => client.session.close('the cluster has stopped'));
    await Promise.all(clients);
    for (const { session } of this.#sessions.values()) session.abandon('the cluster has stopped');
  }

  #lock(key: string): Lock | undefined {
    const record = this.registry.byKey(key);
    return record ? { secret: record.key.secret, roles: ['engine'] } : this.keys.find(key);
  }

  #admitClient(guest: Guest, connection: Connection): void {
    this.#news.flush(); // older than what this client is told at its welcome
    const about = {
      id: this.#nextClient++,
      observer: guest.role === 'observer',
      beats: (guest.about as { beats?: unknown } | null)?.beats === true,
    };
    const client = new ClientRecord(about, this.limits.bufferedBytes, {
      newsFirst: () => this.#news.flush(),
      stuck: ({ id }, bytes) => {
        const reason = `it had not read ${bytes} bytes (limits.bufferedBytes of the cluster: ${this.limits.bufferedBytes})`;
        this.log.warn('client dropped', { client: id, remote: connection.remote, reason });
        this.#remember(session.id, reason);
        session.lose(reason);
      },
      limited: ({ id }, error) => this.log.warn('limit met', { client: id, limit: error.limit, max: error.max }),
    });
    let gone: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(gone);
      if (!this.clients.delete(client.id)) return;
      this.#sessions.delete(session.id);
      addTraffic(this.pastClients, trafficOf(session));
      client.rpc.fail(new ValueLostError('The client that held the value has left'));
      this.broker.clientLeft(client);
      this.#calls.clientLeft(client);
      this.#paradigms.clientLeft(client);
      this.#changed({ type: 'client-left', client: client.id });
    };
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#guard(() => this.#fromClient(client, header, payloads)),
      drained: () => client.fetches.pump(),
      disconnected: () => {
        gone = setTimeout(() => {
          session.abandon('the client did not come back');
          leave();
        }, this.#clientWindow);
      },
      ended: (reason, violation) => {
        if (violation) this.#violated(connection, { client: client.id, reason });
        leave();
      },
    });
    client.session = session;
    client.rpc = new Rpc((header, payloads, owned) => client.send(header, payloads, owned), {
      ...this.broker.forClient(client),
      ...(client.observer ? { status: this.requests.status! } : this.requests),
    });
    this.clients.set(client.id, client);
    this.#sessions.set(session.id, {
      session,
      key: guest.key,
      resumed: () => {
        clearTimeout(gone);
        client.fetches.pump();
      },
      end: (reason) => {
        this.#remember(session.id, reason);
        void session.close(reason);
        leave();
      },
    });
    guest.welcome({
      session: session.id,
      resumed: false,
      received: 0,
      about: {
        client: client.id,
        cluster: this.id,
        name: this.name,
        engines: this.registry.infos(),
        beat: this.#beat,
      },
    });
    this.#paradigms.clientJoined(client);
    session.attach(connection, 0);
    this.#changed({ type: 'client-joined', client: client.id });
  }

  #admitEngine(guest: Guest, connection: Connection): void {
    const record = this.registry.byKey(guest.key) ?? this.#newcomer();
    if (record) this.#joinEngine(record, guest, connection);
    else {
      const { message } = exceeded('engines', this.limits.engines, 'The cluster has all the engines that it may have');
      this.log.warn('turned a peer away', { remote: connection.remote, reason: message });
      guest.refuse('LIMIT', message);
    }
  }

  #joinEngine(record: EngineRecord, guest: Guest, connection: Connection): void {
    if (record.session) this.registry.lost(record, 'it joined anew');
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#guard(() => this.#fromEngine(record, header, payloads)),
      beat: (header) => {
        record.beat = header.beat ?? {};
        record.info.memory = record.beat.rss ?? 0;
      },
      disconnected: () => this.registry.state(record, 'disconnected'),
      ended: (reason, violation) => {
        if (violation) this.#violated(connection, { engine: record.id, reason });
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
      end: (reason) => {
        void session.close(reason);
        this.registry.lost(record, reason);
      },
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
    const transport = connection.remote.split(':')[0] ?? '';
    this.registry.joined(record, { ...aboutEngine(guest.about), transport });
  }

  /** A place for an engine that comes by itself, where need be that of one that came so and was lost. */
  #newcomer(): EngineRecord | undefined {
    const { engines } = this.registry;
    if (engines.size >= this.limits.engines) {
      const oldest = [...engines.values()].find((record) => record.external && record.info.state === 'lost');
      if (!oldest) return undefined;
      this.registry.remove(oldest, 'lost, and others have come');
    }
    return this.registry.expect(mintKey('e'), true);
  }

  #remember(session: string, reason: string): void {
    this.#ended.set(session, reason);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_KEPT) break;
      this.#ended.delete(oldest);
    }
  }

  #violated(connection: Connection, fields: { client?: number; engine?: number; reason: string }): void {
    this.log.warn('peer dropped', { remote: connection.remote, ...fields });
  }

  /** Whatever a peer's message does to us, it ends that peer's session and nothing else. */
  #guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      if (error instanceof TuttiError) throw error;
      this.log.error('a message could not be handled', { error });
      throw new ProtocolError('A message that the controller cannot handle', { cause: error });
    }
  }

  #fromClient(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.#paradigms.fromClient(client, header, payloads);
      return;
    }
    if (client.rpc.receive(header, payloads)) return;
    if (header.kind === Kind.CALL) {
      this.#news.flushSize();
      this.#calls.forward(client, header, payloads);
    } else if (client.observer) throw new ProtocolError('An observer can watch this cluster, not change it');
    else if (header.kind === Kind.EVENT && header.op === 'code') this.broker.keepCode(client, header, payloads);
    else if (header.kind === Kind.RELEASE) this.#calls.release(client, header);
    else throw new ProtocolError(`A client sent a message of kind ${header.kind}`);
  }

  #fromEngine(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.#paradigms.fromEngine(record, header, payloads);
      return;
    }
    if (record.rpc?.receive(header, payloads)) return;
    if (header.kind === Kind.REPLY) this.#calls.answer(record, header, payloads);
    else if (header.kind === Kind.OUTPUT && payloads[0]) this.output(record, header, payloads[0]);
    else if (header.kind === Kind.EVENT && header.op === 'log' && payloads[0])
      this.#journal.line(record.id, payloads[0]);
    else throw new ProtocolError(`An engine sent a message of kind ${header.kind}`);
  }

  /** Output of an engine: to the client whose call printed it, or to all when no call did. */
  output(record: EngineRecord, header: { client: number; id: number; stream: number }, text: Payload): void {
    for (const part of text.parts) this.registry.output(record, part);
    const owner = header.client ? this.clients.get(header.client) : undefined;
    if (owner) owner.output(record.id, header.id, header.stream, text);
    else if (!header.client)
      for (const client of this.clients.values()) client.output(record.id, 0, header.stream, text);
  }

  #changed(event: ClusterEvent): void {
    this.#journal.changed(event);
    this.#news.tell(event);
    this.#paradigms.event(event);
  }
}
