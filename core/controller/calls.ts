/**
 * Routing of calls: one message in, one to each target, one reply back for each. All calls of all clients pass here in
 * one order, the same for every engine; that is why calls that wait for each other's values cannot wait in a circle.
 */
import { callKey } from '../call-key.ts';
import { DependencyError, InvalidTargetError, ProtocolError, RefusedError, ValueLostError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { loud } from '../log-output.ts';
import { answerCodec, encodeThrown } from '../wire/answer.ts';
import { type Envelope, Kind, pack, Status } from '../wire/envelope.ts';
import { copyOf, type Payload } from '../wire/forms.ts';
import type { Session } from '../wire/session.ts';
import type { Broker } from './broker.ts';
import type { CallCounts } from './call-counts.ts';
import type { ClientRecord } from './clients.ts';
import { exceeded, type Limits } from './limits.ts';
import { type EngineRecord, lostError, type Registry, type Running } from './registry.ts';

/** A call may name this many targets that there never were; each is answered with an error. */
const UNKNOWN_TARGETS = 1_024;

export class Calls {
  #registry: Registry;
  #clients: ReadonlyMap<number, ClientRecord>;
  #broker: Broker;
  #limits: Limits;
  #counts: CallCounts;
  /** Only where each call is logged. */
  #trace: Logger | undefined;
  /** The last call of each client that went to an engine in this session of its. */
  #forwarded = new WeakMap<Session, Map<number, number>>();

  constructor(
    registry: Registry,
    clients: ReadonlyMap<number, ClientRecord>,
    { broker, limits, counts, log }: { broker: Broker; limits: Limits; counts: CallCounts; log: Logger },
  ) {
    this.#registry = registry;
    this.#clients = clients;
    this.#broker = broker;
    this.#limits = limits;
    this.#counts = counts;
    this.#trace = loud(log, 'debug');
  }

  /** CALL of a client. Throws ProtocolError for one that no client of ours would make. */
  forward(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    this.#checkShape(client, header, payloads);
    const { id, targets, op, code, needs, label } = header;
    this.#trace?.debug(`Call ${id} of client ${client.id}: ${op}`, { client: client.id, call: id, op, targets, label });
    const codec = answerCodec(payloads);
    const only = targets.length === 1;
    client.account.lastCall = id;
    const refusal = this.#refusal(client, header);
    if (refusal) {
      for (const engine of targets) this.#fail(client, { call: id, codec, only }, engine, refusal);
      return;
    }
    const count = this.#counts.of(op);
    const began = performance.now();
    count.calls++;
    const onward = { kind: Kind.CALL, id, client: client.id, op, code, needs, label };
    const common = header.spread ? undefined : pack(onward, payloads);
    // Payload memory is handed to the last target, where all transports have taken their copies when `send` returns.
    const handOver = targets.every((target) => {
      const session = this.#registry.engines.get(target)?.session;
      return !session || session.connection?.capabilities.lossless === true;
    });
    const last = targets.length - 1;
    for (const [i, engine] of targets.entries()) {
      const record = this.#registry.engines.get(engine);
      const error = this.#obstacle(client, engine, record);
      if (error || !record?.session) {
        this.#fail(client, { call: id, codec, only }, engine, error!);
        count.lost++;
        continue;
      }
      const job = { client: client.id, call: id, op, label, codec, only, count, began };
      record.running.set(callKey(client.id, id), job);
      client.account.pending++;
      this.#callsTo(record.session).set(client.id, id);
      const lastOne = i === last;
      if (common) record.session.sendPacked(common, handOver && lastOne);
      else {
        const shared = handOver && !lastOne ? copyOf(payloads[0]!) : payloads[0]!;
        record.session.send({ ...onward }, [shared, payloads[1 + i]!], handOver);
      }
    }
  }

  /** REPLY of an engine: drops what is not awaited any more, or is of an older incarnation. */
  answer(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    const key = callKey(header.client, header.id);
    const result = header.results[0];
    const running = record.running.get(key);
    if (result?.incarnation !== record.info.incarnation || !running || running.held) return;
    const { status = Status.OK, bytes = 0, told } = result;
    if (!(status! in Status) || (status === Status.KEPT && !(bytes! >= 0 && bytes! <= Number.MAX_SAFE_INTEGER)))
      throw new ProtocolError(`A reply with status ${status} and ${bytes} bytes`);
    if (!told || !record.supervised) {
      this.#answered(record, header, payloads);
      return;
    }
    result.told = 0;
    running.held = true;
    record.control.told.when(told, (lost) => !lost && this.#answered(record, header, payloads));
  }

  /** All that the task has told has been passed on. */
  #answered(record: EngineRecord, header: Envelope, payloads: Payload[]): void {
    const key = callKey(header.client, header.id);
    const running = record.running.get(key);
    if (!running) return; // its client has left meanwhile
    const result = header.results[0]!;
    const { status = Status.OK, bytes = 0 } = result;
    const kept = status === Status.KEPT;
    record.running.delete(key);
    running.whenOver?.();
    running.count.answered(status!, running.began);
    this.#trace?.debug(`Call ${header.id} of client ${header.client} is answered by engine ${record.id}`, {
      client: header.client,
      call: header.id,
      engine: record.id,
      status: Status[status!],
    });
    const client = this.#clients.get(header.client);
    if (!client) return;
    client.account.pending--;
    result.engine = record.id; // whatever it says
    if (kept && !this.#retain(client, record, running, bytes!)) return;
    client.reply(header.id, result, payloads[0], running.only);
  }

  /** A task that takes long has begun. */
  began(record: EngineRecord, client: number, call: number, since: number): void {
    const running = record.running.get(callKey(client, call));
    if (running && Number.isFinite(since)) running.since = since;
  }

  /** RELEASE of a client: what is not there is nobody's business, and need not be told to an engine. */
  release({ id: client, account }: ClientRecord, { targets, ids }: Envelope): void {
    const named = new Set(ids);
    for (const engine of new Set(targets)) {
      const gone = account.release(engine, named);
      const { session } = this.#registry.engines.get(engine) ?? {};
      if (gone.length) session?.send({ kind: Kind.RELEASE, ids: gone, client });
    }
  }

  engineLost(record: EngineRecord, error: Error): void {
    for (const running of record.running.values()) {
      const { client, count, whenOver } = running;
      whenOver?.();
      count.lost++;
      const waiting = this.#clients.get(client);
      if (!waiting) continue;
      waiting.account.pending--;
      this.#fail(waiting, running, record.id, error);
    }
    record.running.clear();
    for (const { account } of this.#clients.values()) account.engineLost(record.id);
  }

  clientLeft(client: ClientRecord): void {
    for (const record of this.#registry.engines.values()) {
      for (const [key, running] of record.running) {
        if (running.client !== client.id) continue;
        record.running.delete(key);
        running.whenOver?.();
        running.count.dropped++;
      }
      const { session } = record;
      if (!session) continue;
      this.#callsTo(session).delete(client.id);
      session.send({ kind: Kind.EVENT, op: 'client-left', client: client.id });
    }
  }

  #checkShape(client: ClientRecord, { id, targets, spread, needs }: Envelope, payloads: Payload[]): void {
    if (spread && payloads.length !== 1 + targets.length)
      throw new ProtocolError(`Call ${id} is spread over ${targets.length} engines with ${payloads.length} payloads`);
    if (id <= client.account.lastCall)
      throw new ProtocolError(`Call ${id} came after call ${client.account.lastCall}; calls count up`);
    if (targets.length > this.#registry.given + UNKNOWN_TARGETS || new Set(targets).size !== targets.length)
      throw new ProtocolError(
        `Call ${id} names an engine twice, or ${targets.length} engines, more than there ever were`,
      );
    if (needs.some((need) => need.client === client.id && !((need.call ?? 0) < id)))
      throw new ProtocolError(`Call ${id} needs the result of a call that was not made before it`);
  }

  /** Why the whole call cannot be carried out, if so. */
  #refusal(client: ClientRecord, { targets, code, needs }: Envelope): Error | undefined {
    if (client.observer) return new RefusedError('An observer can watch this cluster, not use it');
    const { pendingCalls } = this.#limits;
    const pending = client.account.pending + targets.length;
    if (pending > pendingCalls)
      return client.limit(
        exceeded('pendingCalls', pendingCalls, `Client ${client.id} would have ${pending} calls pending`),
      );
    try {
      this.#broker.checkCode(client, code);
    } catch (error) {
      return error as Error;
    }
    for (const need of needs) {
      const why = this.#neverComes(client, need);
      if (why) {
        const cause = new ValueLostError(why);
        return new DependencyError(`A pending result used as an argument failed: ${why}`, { cause });
      }
    }
    return undefined;
  }

  /** Why an engine would wait for this value for ever, if so. */
  #neverComes(client: ClientRecord, need: Envelope['needs'][number]): string | undefined {
    const { client: owner = 0, call = 0, engine = 0, incarnation = 0, settled } = need;
    if (!this.#clients.has(owner!)) return `client ${owner}, whose result it is, has left`;
    if (settled) return undefined; // no engine waits for it then
    const { session, info } = this.#registry.engines.get(engine!) ?? {};
    // Another client's call may be on its way still. What was lost with its engine, the other engine will hear.
    if (owner !== client.id || !session || (incarnation && incarnation !== info?.incarnation)) return undefined;
    const last = this.#callsTo(session).get(owner) ?? 0;
    return call! > last ? `call ${call} never went to engine ${engine}` : undefined;
  }

  /** Why this target cannot take the call, if so. */
  #obstacle(client: ClientRecord, engine: number, record: EngineRecord | undefined): Error | undefined {
    if (!record) return new InvalidTargetError(`There is no engine ${engine} (any more)`);
    const { session, end } = record;
    if (!session)
      return lostError(record, `${end?.reason ?? 'not connected'} (start it anew: client.restart([${engine}]))`, end);
    const { engineBytes } = this.#limits;
    if (session.backlog <= engineBytes) return undefined;
    const what = `Engine ${engine} has not read ${session.backlog} bytes that were sent to it`;
    return client.limit(exceeded('engineBytes', engineBytes, what));
  }

  /** False: the client has too much on engines already, and its call fails. */
  #retain(client: ClientRecord, record: EngineRecord, running: Running, bytes: number): boolean {
    const { call } = running;
    const { retainedBytes } = this.#limits;
    const total = client.account.retainedBytes + bytes;
    if (total <= retainedBytes) {
      client.account.retain(record.id, call, bytes);
      return true;
    }
    record.session?.send({ kind: Kind.RELEASE, ids: [call], client: client.id });
    const what = `With this result of ${bytes} bytes client ${client.id} would have ${total} bytes on engines`;
    const error = client.limit(exceeded('retainedBytes', retainedBytes, what));
    this.#fail(client, running, record.id, error);
    return false;
  }

  #callsTo(session: Session): Map<number, number> {
    let calls = this.#forwarded.get(session);
    if (!calls) this.#forwarded.set(session, (calls = new Map()));
    return calls;
  }

  #fail(
    client: ClientRecord,
    { call, codec, only }: Pick<Running, 'call' | 'codec' | 'only'>,
    engine: number,
    error: Error,
  ): void {
    client.reply(call, { engine, status: Status.LOST }, encodeThrown(error, codec), only);
  }
}
