/**
 * The controller: lets engines and clients in, keeps the registry, routes calls and replies, and passes on what happens.
 * It runs no user code. Starting and stopping engines is the host's business (`host.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { ClusterEvent, ClusterParadigms } from '../cluster-info.ts';
import { TOLD_COST } from '../conversation.ts';
import { realClock } from '../deferred/clock.ts';
import { ProtocolError, UsageError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import type { Demand } from '../paradigm/paradigm.ts';
import { memoryStores } from '../store/memory-store.ts';
import type { StoreProvider } from '../store/store.ts';
import { payloadBytes } from '../wire/codec.ts';
import { type Envelope, Kind, payloadText, Stream } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Guest } from '../wire/handshake.ts';
import type { RequestHandler } from '../wire/rpc.ts';
import { Strangers } from '../wire/strangers.ts';
import type { Connection } from '../wire/transport.ts';
import { Admission } from './admission.ts';
import { Authorities } from './authorities.ts';
import { Broker } from './broker.ts';
import { CallCounts } from './call-counts.ts';
import { Calls } from './calls.ts';
import { watchClients } from './client-liveness.ts';
import type { ClientRecord } from './clients.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { Conversations } from './conversations.ts';
import { Draining } from './draining.ts';
import type { KeptKeys } from './estate.ts';
import { Journal } from './journal.ts';
import { type Limits, limitsOf } from './limits.ts';
import { type LivenessOptions, watchEngines } from './liveness.ts';
import { News } from './news.ts';
import { Offers } from './offers.ts';
import { Paradigms } from './paradigms.ts';
import { type EngineRecord, Registry } from './registry.ts';
import { Samples } from './samples.ts';
import { Sessions } from './sessions.ts';
import { noTraffic } from './traffic.ts';

export interface ControllerOptions extends LivenessOptions {
  name: string;
  /** ms that a cut-off client may take to come back. Default 10,000. */
  clientWindow?: number | undefined;
  /** What clients and strangers may take; the others keep their defaults. */
  limits?: Partial<Limits> | undefined;
  /** Where paradigms keep what must outlive the controller; whoever gives it closes it. Default: memory, and nothing outlives. */
  stores?: StoreProvider | undefined;
  /** Do the stores outlive it? */
  durable?: boolean;
  /** Of a cluster whose controllers take turns; otherwise it makes its own. */
  keys?: KeptKeys | undefined;
  /** A paradigm's half has been started here. */
  used?: ((paradigm: string) => void) | undefined;
  log?: Logger | undefined;
}

const CANNOT_RESUME = 'its messages since the cut are more than are kept for a replay';
const NOT_OURS =
  'this controller does not know the session: another controller has taken over, or the cluster was started anew';

export class Controller {
  /** Of this run of the cluster. */
  readonly id = randomUUID();
  readonly name: string;
  readonly registry: Registry;
  readonly limits: Limits;
  readonly keys: ClusterKeys;
  readonly authorities = new Authorities();
  /** What paradigms say of themselves to whoever asks for the cluster's status. */
  readonly reports = new Map<string, () => unknown>();
  /** Work that paradigms have for engines. */
  readonly demands = new Map<string, () => Demand>();
  readonly draining: Draining;
  /** Set by the host, which starts engines. */
  restartEngines: (ids: readonly number[]) => Promise<void> = () =>
    Promise.reject(new UsageError('Nobody here can start engines'));
  /** Requests of clients that the host answers: starting engines, stopping, status. */
  readonly requests: Record<string, RequestHandler> = {};
  readonly clients = new Map<number, ClientRecord>();
  readonly broker: Broker;
  readonly conversations: Conversations;
  readonly log: Logger;
  readonly callCounts = new CallCounts();
  readonly samples = new Samples();
  /** What went over sessions of clients that have left. */
  readonly pastClients = noTraffic();
  readonly offers = new Offers();
  readonly #paradigms: Paradigms;
  #sessions = new Sessions();
  #strangers: Strangers;
  #calls: Calls;
  #liveness: { stop(): void }[];
  #admission: Admission;
  #news: News;
  #journal: Journal;
  #closed = false;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.log = options.log ?? silentLogger;
    const { clientWindow = 10_000, beat = 1_000 } = options;
    this.limits = limitsOf(options.limits);
    this.#strangers = new Strangers(this.limits.strangers, this.log);
    this.registry = new Registry({
      changed: (event) => this.#changed(event),
      lost: (record, error) => {
        this.#calls.engineLost(record, error);
        this.#paradigms.engineLost(record, error);
        this.keys.engineLost(record);
      },
    });
    this.keys = new ClusterKeys(this.registry, this.#sessions, options.keys);
    this.#news = new News(this.clients, this.registry.engines);
    this.#journal = new Journal(this.log, this.registry.engines);
    this.broker = new Broker(this.registry, this.clients, this.limits);
    this.conversations = new Conversations(this.registry);
    this.draining = new Draining(this.registry);
    const { broker, conversations, limits, callCounts: counts, log } = this;
    this.#calls = new Calls(this.registry, this.clients, { broker, limits, counts, log });
    const { stores = memoryStores() } = options;
    this.#paradigms = new Paradigms({
      cluster: { id: this.id, name: this.name },
      registry: this.registry,
      offers: this.offers,
      clients: this.clients,
      emit: (event) => this.#changed(event),
      store: (paradigm) => stores.open(paradigm),
      restart: async (ids) => this.restartEngines(ids),
      code: (hash) => broker.textOf(hash),
      reports: this.reports,
      used: (paradigm) => options.used?.(paradigm),
      demands: this.demands,
      onDrain: (handler) => void this.draining.handlers.add(handler),
      conversations: this.conversations,
      durable: options.durable ?? false,
      log,
      clock: options.clock ?? realClock,
    });
    this.#liveness = [
      watchEngines(this.registry, { ...options, late: (ms) => this.samples.controller(ms) }),
      watchClients(this.clients, { beat, window: clientWindow, clock: options.clock }),
    ];
    const { id, name, registry, clients, requests, pastClients } = this;
    this.#admission = new Admission({
      ...{ id, name, registry, clients, broker, conversations, limits, log, requests, pastClients, beat, clientWindow },
      news: this.#news,
      samples: this.samples,
      sessions: this.#sessions,
      fromClient: (...message) => this.#fromClient(...message),
      fromEngine: (...message) => this.#fromEngine(...message),
      fromSupervisor: (...message) => this.#fromSupervisor(...message),
      joined: (client, attach) => {
        this.#paradigms.clientJoined(client);
        attach();
        this.#changed({ type: 'client-joined', client: client.id });
      },
      left: (client) => {
        this.broker.clientLeft(client);
        this.conversations.clientLeft(client.id);
        client.drained();
        this.#calls.clientLeft(client);
        this.#paradigms.clientLeft(client);
        this.#changed({ type: 'client-left', client: client.id });
      },
      engineJoined: (record, session) => this.#paradigms.engineJoined(record, session),
    });
  }

  /** Takes a connection that nobody has spoken on yet. */
  async accept(connection: Connection): Promise<void> {
    if (this.#closed) return connection.destroy('the controller has stopped');
    const guest = await this.#strangers.meet(connection, async (key) => this.keys.lock(key));
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
    const known = this.#sessions.find(guest.session, guest.key);
    if (known?.session.resumable(guest.received)) {
      guest.welcome({ session: guest.session, resumed: true, received: known.session.received, about: {} });
      known.session.attach(connection, guest.received);
      known.resumed();
    } else if (guest.session) {
      const reason = this.#sessions.reasonOf(guest.session) ?? (known ? CANNOT_RESUME : NOT_OURS);
      guest.welcome({ session: guest.session, resumed: false, received: 0, about: { reason } });
      void connection.close(reason);
      known?.session.lose(CANNOT_RESUME);
    } else if (guest.role === 'engine') this.#admission.engine(guest, connection);
    else if (guest.role === 'supervisor') this.#admission.supervisor(guest, connection);
    else this.#admission.client(guest, connection);
  }

  /** Starts the halves of these paradigms, if they are known here, without waiting for a client to use them. */
  goOn(paradigms: Iterable<string>): Promise<void> {
    return this.#paradigms.goOn(paradigms);
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
    for (const { session } of this.#sessions) session.abandon('the cluster has stopped');
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

  /** What an engine's tasks tell. It is told to send more when this has been passed on. */
  #fromSupervisor(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    if (record.control.receive(header, payloads)) return;
    const [payload] = payloads;
    if (header.kind !== Kind.OUTPUT || !payload)
      throw new ProtocolError(`A supervisor sent a message of kind ${header.kind}`);
    const { client, id, stream } = header;
    if (stream === Stream.RUNNING) {
      this.#calls.began(record, client, id, Number(payloadText(payload)));
      this.output(record, header, payload);
      return;
    }
    const bytes = payloadBytes(payload);
    const { control } = record;
    this.output(record, header, payload, () => control.passedOn(bytes + TOLD_COST));
    control.told.upTo(header.told);
  }

  /** What a task tells: to the client whose call it is, or, what no call printed, to all. */
  output(
    record: EngineRecord,
    header: { client: number; id: number; stream: number },
    text: Payload,
    passedOn?: () => void,
  ): void {
    if (header.stream <= Stream.STDERR) for (const part of text.parts) this.registry.output(record, part);
    const owner = header.client ? this.clients.get(header.client) : undefined;
    if (owner) owner.output(record.id, header.id, header.stream, text, passedOn);
    else passedOn?.();
    if (!header.client) for (const client of this.clients.values()) client.output(record.id, 0, header.stream, text);
  }

  #changed(event: ClusterEvent): void {
    this.#journal.changed(event);
    this.#news.tell(event);
    this.#paradigms.event(event);
  }
}
