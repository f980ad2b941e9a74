/** What a paradigm's half on the controller can do: the cluster as it sees it. */
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import type { Clock } from '../deferred/clock.ts';
import { type EngineLostError, ValueLostError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Address, Exchange } from '../paradigm/exchange.ts';
import type { ControllerHost, Demand } from '../paradigm/paradigm.ts';
import { LEND, Parcel } from '../paradigm/parcel.ts';
import { groupOf, partyAt, type Voice } from '../paradigm/party.ts';
import type { Store } from '../store/store.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Session } from '../wire/session.ts';
import type { ClientRecord } from './clients.ts';
import type { Conversations } from './conversations.ts';
import type { DrainHandler } from './draining.ts';
import type { Offers } from './offers.ts';
import { type EngineRecord, lostError, type Registry } from './registry.ts';

export interface ParadigmsHome {
  readonly cluster: { readonly id: string; readonly name: string };
  readonly registry: Registry;
  readonly offers: Offers;
  readonly log: Logger;
  readonly clock: Clock;
  store(paradigm: string): Promise<Store>;
  /** Does what stores hold outlive the cluster? */
  readonly durable: boolean;
  readonly clients: ReadonlyMap<number, ClientRecord>;
  emit(event: ClusterEvent): void;
  restart(ids: readonly number[]): Promise<void>;
  /** The text of code that a client has sent. */
  code(hash: string): string;
  readonly conversations: Conversations;
  /** By paradigm: what `status` says of it. */
  readonly reports: Map<string, () => unknown>;
  /** A half has been started here. */
  used(paradigm: string): void;
  readonly demands: Map<string, () => Demand>;
  onDrain(handler: DrainHandler): void;
}

/** Whom halves can talk to. */
export interface Parties {
  engine(id: number): Exchange | undefined;
  client(id: number): Exchange | undefined;
  /** Of halves, for what happens in the cluster. */
  readonly listeners: Set<(event: ClusterEvent) => void>;
}

export function controllerHost(paradigm: string, home: ParadigmsHome, parties: Parties): ControllerHost {
  const { cluster, registry, clients, durable, log, clock } = home;
  const pack: Voice['pack'] = (value) => ({ payloads: value === undefined ? [] : [encode(value, LEND)] });
  const voice = (exchange: () => Exchange, session: () => Session | undefined): Voice => ({
    paradigm,
    pack,
    exchange,
    drained: async () => session()?.drained(),
  });
  const withEngine = (id: number): Exchange => parties.engine(registry.get(id).id) ?? nobody(gone(registry.get(id)));
  const withClient = (id: number): Exchange =>
    parties.client(id) ?? nobody(new ValueLostError(`Client ${id} has left`));
  let opened: Promise<Store> | undefined;
  return {
    cluster,
    get engines(): EngineInfo[] {
      return registry.infos();
    },
    engine(id) {
      const session = (): Session | undefined => registry.engines.get(id)?.session;
      return partyAt(voice(() => withEngine(id), session));
    },
    client(id) {
      const session = (): Session | undefined => clients.get(id)?.session;
      return partyAt(voice(() => withClient(id), session));
    },
    group: (ids) =>
      groupOf({ paradigm, pack }, () => {
        const there = ids ?? [...registry.engines.values()].filter((r) => r.session).map((r) => r.id);
        return there.map((id) => ({ exchange: withEngine(id), address: HERE }));
      }),
    onEvent(listener) {
      parties.listeners.add(listener);
      return () => void parties.listeners.delete(listener);
    },
    // As it is now; what cannot travel is thrown here, and not where news are sent.
    emit: (event) => home.emit({ type: 'paradigm', paradigm, event: decode(encode(event, { root: 'event' })) }),
    store: () => (opened ??= home.store(paradigm)),
    parcel: (value) => new Parcel(encode(value, LEND)),
    read: (parcel) => decode(parcel.payload) as never,
    whole: (parcel) => parcel.whole((hash) => home.code(hash)),
    restart: (ids) => home.restart(ids),
    interrupt: (engine, { client, call }, { kind, reason }) =>
      home.conversations.stopWork(engine, { client, call, kind, reason }),
    tasks: (source) => void home.conversations.sources.add(source),
    whenTold(engine, end, then) {
      const call = (lost: boolean): void => {
        try {
          then(lost);
        } catch (error) {
          log.error(`Paradigm '${paradigm}' failed when what tasks tell had been passed on`, { error });
        }
      };
      const record = registry.engines.get(engine);
      if (record?.session) record.control.told.when(end, call);
      else call(true);
    },
    report: (read) => void home.reports.set(paradigm, read),
    demand: (read) => void home.demands.set(paradigm, read),
    onDrain: (handler) => home.onDrain(handler),
    durable,
    log,
    clock,
  };
}

const HERE: Address = {};

/** How it was lost, for whoever wants something of it. */
export function gone(record: EngineRecord): EngineLostError {
  return lostError(record, record.end?.reason ?? 'not connected', record.end);
}

/** Stands in for an exchange with somebody who is not there. */
function nobody(error: Error): Exchange {
  const exchange = new Exchange({ send() {}, half() {}, sender: () => ({ role: 'controller', id: 0 }), fell() {} });
  exchange.fail(error);
  return exchange;
}
