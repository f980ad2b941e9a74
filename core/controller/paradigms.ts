/**
 * Paradigms on the controller: which there are, their halves here, and the way of their messages between clients and engines.
 * What runs here is only what the controller was started with, or what a program that embeds it uses itself.
 */
import type { ClusterEvent, ParadigmInfo } from '../cluster-info.ts';
import { InvalidTargetError, ParadigmError, RefusedError, ValueLostError } from '../errors.ts';
import { Exchange, type Send } from '../paradigm/exchange.ts';
import { Halves } from '../paradigm/halves.ts';
import { answerCodec, encodeAnswer } from '../wire/answer.ts';
import { decode } from '../wire/codec.ts';
import { type Envelope, type Header, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { thrown } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import type { ClientRecord } from './clients.ts';
import { controllerHost, gone, type ParadigmsHome, type Parties } from './paradigm-host.ts';
import type { EngineRecord } from './registry.ts';

/** What a client says of a paradigm when it begins to use it. */
interface Wanted {
  version?: string;
  /** Has it a half for the controller, and for engines? */
  controller?: boolean;
  engine?: boolean;
}

interface Installed {
  version: string;
  /** The bundle of its engine half. */
  engine: Payload | undefined;
  started: Promise<unknown>;
}

interface Visitor {
  exchange: Exchange;
  /** Paradigms that it has asked for, and why not. */
  standing: Map<string, Error | undefined>;
}

export class Paradigms {
  #home: ParadigmsHome;
  #installed = new Map<string, Installed>();
  #halves = new Halves('the controller');
  #clients = new Map<number, Visitor>();
  #engines = new Map<number, Exchange>();
  #listeners = new Set<(event: ClusterEvent) => void>();
  #parties: Parties;

  constructor(home: ParadigmsHome) {
    this.#home = home;
    this.#parties = {
      engine: (id) => this.#engines.get(id),
      client: (id) => this.#clients.get(id)?.exchange,
      listeners: this.#listeners,
    };
  }

  /** Those that can be used, and those that are. */
  infos(): ParadigmInfo[] {
    const offered = this.#home.offers.all().map((definition) => {
      const { name, version, controller, engine, module } = definition;
      const use = this.#installed.has(name);
      return { name, version, controller: !!controller, engine: engine !== undefined, use, ...(module && { module }) };
    });
    const known = new Set(offered.map(({ name }) => name));
    const brought = [...this.#installed]
      .filter(([name]) => !known.has(name))
      .map(([name, { version, engine }]) => ({ name, version, controller: false, engine: !!engine, use: true }));
    return [...offered, ...brought];
  }

  clientJoined(client: ClientRecord): void {
    const send: Send = (...message) => toClient(client, ...message);
    const exchange = this.#exchangeOver({ send }, 'client', client.id);
    this.#clients.set(client.id, { exchange, standing: new Map() });
  }

  clientLeft({ id }: ClientRecord): void {
    this.#clients.get(id)?.exchange.fail(new ValueLostError(`Client ${id} has left`));
    this.#clients.delete(id);
  }

  /** Before anything else is sent to it. */
  engineJoined(record: EngineRecord, session: Session): void {
    this.#engines.set(record.id, this.#exchangeOver(session, 'engine', record.id));
    for (const [paradigm, { engine }] of this.#installed) if (engine) load(session, paradigm, engine);
  }

  engineLost({ id }: EngineRecord, error: Error): void {
    this.#engines.get(id)?.fail(error);
    this.#engines.delete(id);
  }

  event(event: ClusterEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#home.log.error(`A paradigm's listener failed at ${event.type}`, { error });
      }
    }
  }

  fromClient(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    const visitor = this.#clients.get(client.id);
    if (!visitor) return;
    const { paradigm, op, targets } = header;
    const refusal = this.#admit(client, visitor, header, payloads);
    if (refusal) {
      refuse(client, header, payloads, refusal);
      return;
    }
    if (op === '#use') {
      const { started } = this.#installed.get(paradigm)!;
      started.then(
        () => client.send(backTo(header), [encodeAnswer(undefined, 'answer', answerCodec(payloads))]),
        (error) => refuse(client, header, payloads, error),
      );
      return;
    }
    if (!targets.length) {
      visitor.exchange.receive(header, payloads);
      return;
    }
    for (const id of targets) {
      const record = this.#home.registry.engines.get(id);
      if (record?.session) record.session.send({ ...onward(header), client: client.id }, payloads);
      else refuse(client, header, payloads, record ? gone(record) : unknown(id));
    }
  }

  fromEngine(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    if (!header.client) {
      this.#engines.get(record.id)?.receive(header, payloads);
      return;
    }
    const client = this.#home.clients.get(header.client);
    if (client) toClient(client, { ...onward(header), targets: [record.id] }, payloads);
    else if (record.session)
      refuse(record.session, header, payloads, new ValueLostError(`Client ${header.client} has left`));
  }

  /** Those that are offered, as if a client had asked for them. What fails to start is told to the log, and to who asks for it. */
  async goOn(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      if (!this.#home.offers.get(name)?.controller) continue;
      this.#install(name, {}, undefined);
      await this.#installed.get(name)!.started.catch(() => {});
    }
  }

  /** Halves end in the reverse order of their start; one that is still on its way, when it is there. */
  async close(): Promise<void> {
    for (const made of this.#halves.all().reverse()) {
      const ended = made.then(
        (half) => (half as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.(),
        () => {}, // it never started, which was told
      );
      try {
        await withinPatience(ended);
      } catch (error) {
        this.#home.log.error('A paradigm failed to stop', { error });
      }
    }
  }

  /** Why this client cannot use the paradigm, if so. What it asks without having said '#use' is taken as any version. */
  #admit(client: ClientRecord, { standing }: Visitor, header: Envelope, payloads: Payload[]): Error | undefined {
    const { paradigm, op } = header;
    if (standing.has(paradigm) && op !== '#use') return standing.get(paradigm);
    let refusal: Error | undefined;
    try {
      if (client.observer) throw new RefusedError('An observer can watch this cluster, not use its paradigms');
      const wanted = op === '#use' && payloads[0] ? (decode(payloads[0]) as Wanted) : {};
      this.#install(paradigm, wanted, op === '#use' ? payloads[1] : undefined);
    } catch (error) {
      refusal = error as Error;
    }
    standing.set(paradigm, refusal);
    return refusal;
  }

  #install(paradigm: string, { version, controller }: Wanted, bundle: Payload | undefined): void {
    const { offers } = this.#home;
    const offered = offers.get(paradigm);
    const there = this.#installed.get(paradigm);
    const here = there?.version ?? offered?.version;
    if (here !== undefined && version !== undefined && here !== version)
      throw new ParadigmError(
        `Paradigm '${paradigm}' has version ${here} in this cluster and ${version} in this client; use the same on both sides`,
      );
    if (there) {
      if (bundle && there.engine && !equal(bundle, there.engine))
        throw new ParadigmError(
          `Paradigm '${paradigm}' ${here} is in use in this cluster with other code in its engine half; give the new one another version, or restart the cluster`,
        );
      return;
    }
    if (!offered && (controller || !bundle)) throw offers.missing(paradigm);
    const engine = bundle ?? (offered && offers.bundle(offered));
    const started = offered?.controller
      ? this.#halves.put(paradigm, () => offered.controller!(controllerHost(paradigm, this.#home, this.#parties)))
      : Promise.resolve();
    this.#installed.set(paradigm, { version: version ?? here ?? '', engine, started });
    if (offered?.controller) this.#home.used(paradigm);
    started.catch((error) => this.#home.log.error(`Paradigm '${paradigm}' failed to start`, { error }));
    if (!engine) return;
    for (const { session } of this.#home.registry.engines.values()) if (session) load(session, paradigm, engine);
  }

  #exchangeOver(session: { send: Send }, role: 'client' | 'engine', id: number): Exchange {
    return new Exchange({
      send: (header, payloads, owned) => session.send(header, payloads, owned),
      half: (paradigm, ready) => this.#halves.get(paradigm, ready),
      sender: () => ({ role, id }),
      fell: (paradigm, op, error) => this.#home.log.error(`Paradigm '${paradigm}': '${op}' failed`, { error }),
    });
  }
}

/** How long a half may take to end, in ms: the cluster stops all the same. */
const PATIENCE = 5_000;

async function withinPatience(ending: PromiseLike<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ParadigmError(`It was not done within ${PATIENCE} ms`)), PATIENCE);
  });
  await Promise.race([ending, late]).finally(() => clearTimeout(timer));
}

function load(session: Session, paradigm: string, bundle: Payload): void {
  session.send({ kind: Kind.EVENT, op: '#load', paradigm }, [bundle]);
}

function toClient(client: ClientRecord, header: Header, payloads: readonly Payload[], owned = false): void {
  if (header.kind === Kind.RESPONSE) client.answer(header, payloads, owned);
  else client.send(header, payloads, owned);
}

function onward({ kind, id, paradigm, op, ids, code, needs, stream, failed }: Envelope): Header {
  return { kind, id, paradigm, op, ids, code, needs, stream, failed };
}

function backTo({ id, paradigm, client, targets }: Envelope): Header {
  return { kind: Kind.RESPONSE, id, paradigm, client, targets };
}

/** One-way messages are dropped. */
function refuse(session: Pick<Session, 'send'>, header: Envelope, payloads: readonly Payload[], error: Error): void {
  if (header.kind !== Kind.REQUEST) return;
  session.send({ ...backTo(header), failed: true }, [thrown(error, answerCodec(payloads))]);
}

function unknown(id: number): InvalidTargetError {
  return new InvalidTargetError(`There is no engine ${id} (any more)`);
}

function equal(a: Payload, b: Payload): boolean {
  return Buffer.from(a.parts[0] ?? []).equals(b.parts[0] ?? new Uint8Array());
}
