/**
 * Routing of calls: one message in, one to each target, one reply back for each. All calls of all clients pass here in
 * one order, the same for every engine; that is why calls that wait for each other's values cannot wait in a circle.
 */
import { callKey } from '../call-key.ts';
import { InvalidTargetError, ProtocolError, RefusedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { loud } from '../log-output.ts';
import { type AnswerCodec, answerCodec, encodeThrown } from '../wire/answer.ts';
import { type Envelope, Kind, pack, Status } from '../wire/envelope.ts';
import { copyOf, type Payload } from '../wire/forms.ts';
import type { CallCounts } from './call-counts.ts';
import type { ClientRecord } from './clients.ts';
import { type EngineRecord, lostError, type Registry } from './registry.ts';

export class Calls {
  #registry: Registry;
  #clients: ReadonlyMap<number, ClientRecord>;
  #counts: CallCounts;
  /** Only where each call is logged. */
  #trace: Logger | undefined;

  constructor(registry: Registry, clients: ReadonlyMap<number, ClientRecord>, counts: CallCounts, log: Logger) {
    this.#registry = registry;
    this.#clients = clients;
    this.#counts = counts;
    this.#trace = loud(log, 'debug');
  }

  /** CALL of a client. */
  forward(client: ClientRecord, header: Envelope, payloads: Payload[]): void {
    const { id, targets, op, code, needs, label } = header;
    if (header.spread && payloads.length !== 1 + targets.length)
      throw new ProtocolError(`Call ${id} is spread over ${targets.length} engines with ${payloads.length} payloads`);
    this.#trace?.debug(`Call ${id} of client ${client.id}: ${op}`, { client: client.id, call: id, op, targets, label });
    const codec = answerCodec(payloads);
    if (client.observer) {
      const refusal = new RefusedError('An observer can watch this cluster, not use it');
      for (const engine of targets) this.#fail(client, id, engine, refusal, codec);
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
      if (!record?.session) {
        const error = record
          ? lostError(
              record,
              `${record.end?.reason ?? 'not connected'} (start it anew: client.restart([${engine}]))`,
              record.end,
            )
          : new InvalidTargetError(`There is no engine ${engine} (any more)`);
        this.#fail(client, id, engine, error, codec);
        count.lost++;
        continue;
      }
      record.running.set(callKey(client.id, id), { client: client.id, call: id, codec, count, began });
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
    if (!running || result?.incarnation !== record.info.incarnation) return;
    record.running.delete(key);
    running.count.answered(result.status ?? Status.OK, running.began);
    this.#trace?.debug(`Call ${header.id} of client ${header.client} is answered by engine ${record.id}`, {
      client: header.client,
      call: header.id,
      engine: record.id,
      status: Status[result.status ?? 0],
    });
    this.#clients.get(header.client)?.reply(header.id, result, payloads[0]);
  }

  engineLost(record: EngineRecord, error: Error): void {
    for (const { client, call, codec, count } of record.running.values()) {
      count.lost++;
      const waiting = this.#clients.get(client);
      if (waiting) this.#fail(waiting, call, record.id, error, codec);
    }
    record.running.clear();
  }

  clientLeft(client: ClientRecord): void {
    for (const record of this.#registry.engines.values()) {
      for (const [key, running] of record.running) {
        if (running.client !== client.id) continue;
        record.running.delete(key);
        running.count.dropped++;
      }
      record.session?.send({ kind: Kind.EVENT, op: 'client-left', client: client.id });
    }
  }

  #fail(client: ClientRecord, call: number, engine: number, error: Error, codec: AnswerCodec): void {
    client.reply(call, { engine, status: Status.LOST }, encodeThrown(error, codec));
  }
}
