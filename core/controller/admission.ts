/** Who has proved himself comes in: a session is opened for a client or an engine, and ends with it. */
import { randomUUID } from 'node:crypto';
import type { Traffic } from '../cluster-status.ts';
import { ProtocolError, TuttiError, ValueLostError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Guest, keyToken, mintKey } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import type { Connection } from '../wire/transport.ts';
import type { Broker } from './broker.ts';
import { ClientRecord } from './clients.ts';
import { Control } from './control.ts';
import type { Conversations } from './conversations.ts';
import { aboutEngine, clockTrouble } from './engine-facts.ts';
import { exceeded, type Limits } from './limits.ts';
import type { News } from './news.ts';
import { type EngineRecord, keyOf, type Registry } from './registry.ts';
import type { Samples } from './samples.ts';
import type { Sessions } from './sessions.ts';
import { addTraffic, trafficOf } from './traffic.ts';

/** What the controller is to those who come in. */
export interface House {
  readonly id: string;
  readonly name: string;
  readonly registry: Registry;
  readonly clients: Map<number, ClientRecord>;
  readonly broker: Broker;
  readonly conversations: Conversations;
  readonly news: News;
  readonly samples: Samples;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly log: Logger;
  readonly requests: Record<string, RequestHandler>;
  readonly pastClients: Traffic;
  /** ms. */
  readonly beat: number;
  readonly clientWindow: number;
  fromClient(client: ClientRecord, header: Envelope, payloads: Payload[]): void;
  fromEngine(record: EngineRecord, header: Envelope, payloads: Payload[]): void;
  fromSupervisor(record: EngineRecord, header: Envelope, payloads: Payload[]): void;
  /** `attach` begins to take its messages. */
  joined(client: ClientRecord, attach: () => void): void;
  left(client: ClientRecord): void;
  engineJoined(record: EngineRecord, session: Session): void;
}

export class Admission {
  #house: House;
  #nextClient = 1;

  constructor(house: House) {
    this.#house = house;
  }

  /** A client or an observer. */
  client(guest: Guest, connection: Connection): void {
    this.#house.news.flush(); // older than what this client is told at its welcome
    const about = {
      id: this.#nextClient++,
      observer: guest.role === 'observer',
      beats: (guest.about as { beats?: unknown } | null)?.beats === true,
    };
    const client = new ClientRecord(about, this.#house.limits.bufferedBytes, {
      newsFirst: () => this.#house.news.flush(),
      stuck: ({ id }, bytes) => {
        const reason = `it had not read ${bytes} bytes (limits.bufferedBytes of the cluster: ${this.#house.limits.bufferedBytes})`;
        this.#house.log.warn('client dropped', { client: id, remote: connection.remote, reason });
        this.#house.sessions.explain(session.id, reason);
        session.lose(reason);
      },
      limited: ({ id }, error) => this.#house.log.warn('limit met', { client: id, limit: error.limit, max: error.max }),
    });
    let gone: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(gone);
      if (!this.#house.clients.delete(client.id)) return;
      this.#house.sessions.delete(session.id);
      addTraffic(this.#house.pastClients, trafficOf(session));
      client.rpc.fail(new ValueLostError('The client that held the value has left'));
      this.#house.left(client);
    };
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#guard(() => this.#house.fromClient(client, header, payloads)),
      drained: () => {
        client.fetches.pump();
        client.drained();
      },
      disconnected: () => {
        gone = setTimeout(() => {
          if (session.ended) return; // with the cluster
          session.abandon('the client did not come back');
          leave();
        }, this.#house.clientWindow).unref(); // listeners keep a cluster's program alive; one that has ended has none
      },
      ended: (reason, violation) => {
        if (violation) this.#violated(connection, { client: client.id, reason });
        leave();
      },
    });
    client.session = session;
    client.rpc = new Rpc((header, payloads, owned) => client.send(header, payloads, owned), {
      ...this.#house.broker.forClient(client),
      ...this.#house.conversations.forClient(client),
      ...(client.observer ? { status: this.#house.requests.status! } : this.#house.requests),
    });
    this.#house.clients.set(client.id, client);
    this.#house.sessions.add({
      session,
      opens: (key) => key === guest.key,
      resumed: () => {
        clearTimeout(gone);
        client.fetches.pump();
      },
      end: (reason) => {
        this.#house.sessions.explain(session.id, reason);
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
        cluster: this.#house.id,
        name: this.#house.name,
        engines: this.#house.registry.infos(),
        beat: this.#house.beat,
      },
    });
    this.#house.joined(client, () => session.attach(connection, 0));
  }

  engine(guest: Guest, connection: Connection): void {
    const record = this.#house.registry.byKey(guest.key) ?? this.#newcomer();
    if (record) this.#joinEngine(record, guest, connection);
    else {
      const { message } = exceeded(
        'engines',
        this.#house.limits.engines,
        'The cluster has all the engines that it may have',
      );
      this.#house.log.warn('turned a peer away', { remote: connection.remote, reason: message });
      guest.refuse('LIMIT', message);
    }
  }

  #joinEngine(record: EngineRecord, guest: Guest, connection: Connection): void {
    if (record.session) this.#house.registry.lost(record, 'it joined anew');
    record.supervised = (guest.about as { supervised?: unknown } | null)?.supervised === true;
    record.control = new Control();
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#guard(() => this.#house.fromEngine(record, header, payloads)),
      beat: (header) => {
        record.beat = header.beat ?? {};
        record.info.memory = record.beat.rss ?? 0;
        this.#house.samples.engine(record.beat);
      },
      disconnected: () => this.#house.registry.state(record, 'disconnected'),
      ended: (reason, violation) => {
        if (violation) this.#violated(connection, { engine: record.id, reason });
        if (record.session !== session) return;
        // A thread that has ended: its launcher is about to tell how.
        if (connection.capabilities.lossless) this.#house.registry.state(record, 'disconnected');
        else this.#house.registry.lost(record, reason);
      },
    });
    record.session = session;
    record.remote = connection.remote;
    record.rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), {
      ...this.#house.broker.forEngine(record),
    });
    this.#house.sessions.add({
      session,
      opens: (key) => keyOf(record, key) !== undefined,
      resumed: () => this.#house.registry.state(record, 'alive'),
      end: (reason) => {
        void session.close(reason);
        this.#house.registry.lost(record, reason);
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
        beat: this.#house.beat,
      },
    });
    session.attach(connection, 0);
    this.#house.engineJoined(record, session);
    const trouble = clockTrouble(guest.about);
    if (trouble)
      this.#house.log.warn(`Engine ${record.id}: ${trouble}`, { engine: record.id, remote: connection.remote });
    const transport = connection.remote.split(':')[0] ?? '';
    this.#house.registry.joined(record, { ...aboutEngine(guest.about), transport });
  }

  /** The supervisor of an engine that has joined. */
  supervisor(guest: Guest, connection: Connection): void {
    const record = this.#house.registry.byKey(guest.key);
    const { incarnation, told } = (guest.about ?? {}) as { incarnation?: unknown; told?: unknown };
    if (!record?.session || !record.supervised || incarnation !== record.info.incarnation) {
      guest.refuse('REFUSED', 'The engine of this supervisor is not here (any more)');
      return;
    }
    const { control } = record;
    const session = new Session(randomUUID(), {
      message: (header, payloads) => this.#guard(() => this.#house.fromSupervisor(record, header, payloads)),
      beat: ({ beat }) => {
        control.lag = beat?.lag ?? 0;
        record.info.memory = beat?.rss || record.info.memory;
      },
      ended: (reason, violation) => {
        if (violation) this.#violated(connection, { engine: record.id, reason });
        control.closed(session);
      },
    });
    const rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned));
    this.#house.sessions.add({
      session,
      opens: (key) => keyOf(record, key) !== undefined,
      resumed: () => {},
      end: (reason) => void session.close(reason),
    });
    guest.welcome({ session: session.id, resumed: false, received: 0, about: {} });
    session.attach(connection, 0);
    control.open(session, rpc, Number(told) || 0);
  }

  /** A place for an engine that comes by itself, where need be that of one that came so and was lost. */
  #newcomer(): EngineRecord | undefined {
    const { engines } = this.#house.registry;
    if (engines.size >= this.#house.limits.engines) {
      const oldest = [...engines.values()].find((record) => record.external && record.info.state === 'lost');
      if (!oldest) return undefined;
      this.#house.registry.remove(oldest, 'lost, and others have come');
    }
    return this.#house.registry.expect(mintKey('e'), true);
  }

  #violated(connection: Connection, fields: { client?: number; engine?: number; reason: string }): void {
    this.#house.log.warn('peer dropped', { remote: connection.remote, ...fields });
  }

  /** Whatever a peer's message does to us, it ends that peer's session and nothing else. */
  #guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      if (error instanceof TuttiError) throw error;
      this.#house.log.error('a message could not be handled', { error });
      throw new ProtocolError('A message that the controller cannot handle', { cause: error });
    }
  }
}
