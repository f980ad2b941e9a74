/** Clients talk to tasks that run: stop them, look into them, send them messages; and see what runs. */
import { callKey } from '../call-key.ts';
import type { InterruptResult, TaskInfo } from '../conversation.ts';
import { EngineLostError, NotOnStackError, TuttiError, UsageError } from '../errors.ts';
import type { TaskSource } from '../paradigm/paradigm.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { answering, type RequestHandler } from '../wire/rpc.ts';
import type { ClientRecord } from './clients.ts';
import type { EngineRecord, Registry } from './registry.ts';

/** Which task: a call of a client, or (0) what runs now. */
export interface TaskAddress {
  client: number;
  call: number;
}

interface StopOrder extends TaskAddress {
  targets: number[];
  kind: 'interrupt' | 'cancel';
  reason?: string;
}

interface PeekOrder extends TaskAddress {
  engine: number;
  expression: string;
}

/** Characters of what a client gives as its reason, or as an expression. */
const REASON_KEPT = 10_000;

export class Conversations {
  /** Starts an engine anew that nothing else could stop; rejects where that is not ours to do. */
  restart: ((engine: number) => Promise<unknown>) | undefined;
  /** Tasks of paradigms, which are no calls. */
  readonly sources = new Set<TaskSource>();
  #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  forClient(client: ClientRecord): Record<string, RequestHandler> {
    const watching = { tasks: answering(() => this.#tasks(client)) };
    if (client.observer) return watching;
    return {
      ...watching,
      interrupt: answering(({ targets, ...order }: StopOrder) =>
        Promise.all(targets.map((engine) => this.stop(engine, checked(order)))),
      ),
      peek: (_header, payloads) => this.#peek(decode(payloads[0]!) as PeekOrder),
      say: (header, payloads) => this.#say(header, payloads),
    };
  }

  /**
   * Never rejects. Asking twice of one task is asking once. Who hears of it has been told before what became of the call, unless it
   * is stuck.
   */
  async stop(engine: number, order: Omit<StopOrder, 'targets'>): Promise<InterruptResult> {
    const outcome = await this.#begin(engine, order);
    const running = this.#registry.engines.get(engine)?.running.get(callKey(order.client, order.call));
    if (running && outcome !== 'stuck')
      await new Promise<void>((resolve) => {
        const { whenOver } = running;
        running.whenOver = () => {
          whenOver?.();
          resolve();
        };
      });
    // Replies leave at the end of the turn.
    return new Promise((resolve) => setImmediate(() => resolve(outcome)));
  }

  #begin(engine: number, order: Omit<StopOrder, 'targets'>): Promise<InterruptResult> {
    const record = this.#registry.engines.get(engine);
    const { client, call } = order;
    const running = record?.running.get(callKey(client, call));
    if (!record?.session) return Promise.resolve('lost');
    // What is not under way there has been answered.
    if (call && !running)
      return this.#isElsewhere(engine, order) ? this.stopWork(engine, order) : Promise.resolve('done');
    if (running?.stopping) return running.stopping;
    const stopping = this.#stop(record, order);
    if (running) running.stopping = stopping;
    return stopping;
  }

  /** Of a paradigm: what its half on the engine runs, which is there already. */
  async stopWork(engine: number, order: Omit<StopOrder, 'targets'>): Promise<InterruptResult> {
    const record = this.#registry.engines.get(engine);
    return record?.session ? this.#stop(record, order, false) : 'lost';
  }

  #isElsewhere(engine: number, { client, call }: TaskAddress): boolean {
    for (const source of this.sources) if (source.where({ client, call }) === engine) return true;
    return false;
  }

  /** What a client that has left had running. */
  clientLeft(client: number): void {
    for (const record of this.#registry.engines.values())
      for (const { client: owner, call } of record.running.values())
        if (owner === client)
          void this.stop(record.id, { client, call, kind: 'cancel', reason: 'Its client has left' });
  }

  async #stop(
    record: EngineRecord,
    { client, call, kind, reason }: Omit<StopOrder, 'targets'>,
    due = call !== 0,
  ): Promise<InterruptResult> {
    const text = String(reason ?? (kind === 'cancel' ? 'Cancelled' : 'Interrupted')).slice(0, REASON_KEPT);
    const order = { client, call, kind, reason: text, due };
    const { id, info } = record;
    try {
      if (!record.supervised) {
        const outcome = await record.rpc!.ask('order', { ...order, id: ++this.#next });
        return outcome === 'settled' ? 'signalled' : outcome;
      }
      const rpc = await record.control.rpc();
      const [answer] = (await rpc?.request('order', {}, [encode(order, { codec: 'json' })])) ?? [];
      if (!answer) return 'lost';
      const outcome = decode(answer) as InterruptResult;
      if (outcome !== 'stuck' || kind === 'cancel' || !this.restart) return outcome;
      await this.restart(id);
      return 'engine-restarted';
    } catch {
      return record.session && record.info === info ? 'stuck' : 'lost';
    }
  }
  #next = 0;

  async #peek({ engine, client, call, expression }: PeekOrder): Promise<{ payloads: Payload[] }> {
    if (typeof expression !== 'string' || expression.length > REASON_KEPT)
      throw new UsageError(`peek takes an expression as text, of ${REASON_KEPT} characters at most`);
    const record = this.#registry.get(engine);
    if (!record.session) throw new EngineLostError(`Engine ${engine} was lost`, { engine });
    const finished = new NotOnStackError(`The task is not running on engine ${engine} (any more)`);
    const isCall = record.running.has(callKey(client, call));
    if (call && !isCall && !this.#isElsewhere(engine, { client, call })) throw finished;
    if (!record.supervised)
      throw new UsageError(`Engine ${engine} has no supervisor, so nobody can look into what runs there`);
    const rpc = await record.control.rpc();
    const order = { client, call, kind: 'peek', reason: '', due: isCall, expression };
    const [json, value] =
      (await rpc?.request('peek', {}, [encode(order, { codec: 'json' })]).catch((error) => {
        throw asError(error);
      })) ?? [];
    if (value) return { payloads: [value] };
    throw noValue(engine, json ? (decode(json) as NoValue) : { why: 'done' }, expression);
  }

  async #say({ engine, client, ids }: Envelope, payloads: Payload[]): Promise<{ payloads: Payload[] }> {
    const record = this.#registry.engines.get(engine);
    const call = ids[0] ?? 0;
    const runs = record?.running.has(callKey(client, call)) || this.#isElsewhere(engine, { client, call });
    const there = runs && record?.session !== undefined;
    const header = { client, ids: [call] };
    let answer: Payload | undefined;
    if (there && record?.supervised)
      [answer] = (await (await record.control.rpc())?.request('say', header, [NOTHING, payloads[0]!])) ?? [];
    else if (there) [answer] = await record!.rpc!.request('say', header, [NOTHING, payloads[0]!]);
    return { payloads: [encode(answer ? decode(answer) : 'done')] };
  }

  #tasks({ id }: ClientRecord): TaskInfo[] {
    const now = Date.now();
    const others = [...this.sources].flatMap((source) => source.list());
    const calls = [...this.#registry.engines.values()].flatMap((record) =>
      [...record.running.values()].map(({ client, call, op, label, since, began }) => ({
        id: `${client}.${call}`,
        client,
        call,
        op,
        ...(label && { label }),
        engine: record.id,
        state: since ? ('running' as const) : ('waiting' as const),
        ms: since ? now - since : Math.round(performance.now() - began),
        mine: client === id,
      })),
    );
    return [...calls, ...others.map((task) => ({ ...task, mine: task.client === id }))];
  }
}

const NOTHING: Payload = encode(null, { codec: 'json' });

interface NoValue {
  why: string;
  className?: string;
  message?: string;
}

function noValue(engine: number, { why, className = 'Error', message = '' }: NoValue, expression: string): Error {
  const on = `on engine ${engine}`;
  if (why === 'thrown') {
    if (className === 'EvalError')
      return new UsageError(
        `'${expression}' would change something, or might; peek only reads: name variables and their properties`,
      );
    return new UsageError(`'${expression}' cannot be read from the running function ${on}: ${className}: ${message}`);
  }
  const reasons: Record<string, string> = {
    waiting: `The task has not begun ${on}: another one has its turn`,
    coming: `The task has not begun ${on}: it waits for values that it needs`,
    running: `The task waits at an await ${on}, so its variables are not on the stack; peek when it computes`,
    stray: `The task waits at an await ${on}, so its variables are not on the stack; peek when it computes`,
    idle: `Nothing runs ${on}`,
    native: `What runs ${on} is in native code, and its variables cannot be read meanwhile`,
  };
  return new NotOnStackError(reasons[why] ?? `The task is not running ${on} (any more)`);
}

/** Supervisors say in JSON what went wrong. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new TuttiError(`The task cannot be looked into: ${(error as Error).message}`);
}

function checked(order: Omit<StopOrder, 'targets'>): Omit<StopOrder, 'targets'> {
  return { ...order, kind: order.kind === 'cancel' ? 'cancel' : 'interrupt' };
}
