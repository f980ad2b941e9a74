/** Interrupt and cancel in every order against arrival, start and finish: every call and every order is answered once. */
import assert from 'node:assert/strict';
import inspector from 'node:inspector';
import fc from 'fast-check';
import { test } from 'vitest';
import { callKey } from '../../core/call-key.ts';
import { openDoor } from '../../core/engine/door.ts';
import { currentJob, Job } from '../../core/engine/job.ts';
import { Orders } from '../../core/engine/orders.ts';
import { Turns } from '../../core/engine/turns.ts';
import type { FromEngine, Order, Stand } from '../../core/supervisor/messages.ts';

const CLIENT = 1;

/** The real one: nothing but a termination ends a loop as a termination does. */
const door = openDoor(true, { take: () => '', leftover: () => false, unwinding() {}, show() {} });
const session = new inspector.Session();
session.connect();

/** Of what runs inside the door. */
function terminate(): never {
  session.post('Runtime.terminateExecution');
  for (;;);
}

/** An engine of turns and orders. In the middle of a job it calls back: there another thread can stop it. */
class Bench {
  readonly settled = new Map<number, { ok: boolean; value: unknown }[]>();
  readonly answers = new Map<number, string[]>();
  /** Of a job that waits at its await. */
  readonly waits = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  readonly turns: Turns;
  readonly orders: Orders;
  #arrived = 0;
  #onPort: Order[] = [];
  #next = 0;
  /** What happens while the synchronous part of a job runs. */
  inLoop: ((job: Job) => void) | undefined;

  constructor() {
    this.turns = new Turns(door, {
      callOf: (job) => ({ fn: () => this.perform(job), args: [] }),
      finish: (job, ok, value) => {
        this.orders.settled(job);
        const seen = this.settled.get(job.call) ?? [];
        this.settled.set(job.call, [...seen, { ok, value }]);
      },
    });
    this.orders = new Orders({
      turns: this.turns,
      arrived: () => this.#arrived,
      answer: (message: FromEngine) => {
        if (message.type !== 'answer') return;
        this.answers.set(message.id, [...(this.answers.get(message.id) ?? []), message.outcome]);
      },
    });
  }

  perform(job: Job): unknown {
    const { inLoop } = this;
    this.inLoop = undefined;
    inLoop?.(job);
    if (job.op === 'sync') return 'value';
    return new Promise((resolve, reject) => this.waits.set(job.call, { resolve, reject }));
  }

  arrive(call: number, op: string): void {
    const head = { key: callKey(CLIENT, call), client: CLIENT, call, op, needs: [], code: [] };
    const talk = { progress() {}, send() {}, poll() {}, read() {} };
    const job = new Job(head, [], talk as never);
    job.failure = this.orders.withdrawn(job.key);
    this.#arrived = call;
    this.turns.push(job);
    if (job.failure !== undefined) this.turns.settle(job, false, job.failure);
  }

  /** By the port, that is: later. */
  order(call: number, kind: 'interrupt' | 'cancel'): Order {
    const order: Order = { id: ++this.#next, client: CLIENT, call, kind, reason: `${kind} ${call}`, due: true };
    this.#onPort.push(order);
    return order;
  }

  /** While the thread stands still in the middle of a job. */
  pause(order: Order): Stand {
    return this.orders.take(order);
  }

  turn(): void {
    for (const order of this.#onPort.splice(0)) this.orders.receive(order);
  }

  ordered(): number {
    return this.#next;
  }
}

const calls = fc.integer({ min: 1, max: 5 });
const kinds = fc.constantFrom('interrupt' as const, 'cancel' as const);
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('arrive' as const), op: fc.constantFrom('sync', 'async') }),
    fc.record({ do: fc.constant('order' as const), call: calls, kind: kinds }),
    fc.record({ do: fc.constant('turn' as const) }),
    fc.record({ do: fc.constant('resolve' as const), call: calls }),
    fc.record({
      do: fc.constant('loop' as const),
      call: fc.option(calls, { nil: undefined }),
      kind: kinds,
      watches: fc.boolean(),
    }),
    fc.record({ do: fc.constant('unwind' as const), kind: kinds }),
  ),
  { maxLength: 40 },
);

test('every call is settled once, every order is answered once, nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const bench = new Bench();
      let last = 0;
      const arrive = (op: string): void => {
        if (last < 5) bench.arrive(++last, op);
      };
      const stopped = new Set<number>();
      for (const step of script) {
        if (step.do === 'arrive') arrive(step.op);
        else if (step.do === 'order') {
          bench.order(step.call, step.kind);
          stopped.add(step.call);
        } else if (step.do === 'turn') bench.turn();
        else if (step.do === 'resolve') bench.waits.get(step.call)?.resolve('value');
        else if (step.do === 'unwind') {
          // It loops past its await.
          const { running } = bench.turns;
          if (!running || running.state !== 'running') continue;
          const order = bench.order(running.call, step.kind);
          stopped.add(running.call);
          assert.match(
            currentJob.run(running, () => bench.pause(order)),
            /here|willing/,
          );
          bench.orders.unwound(order);
        } else
          bench.inLoop = (running) => {
            const { call = running.call, watches } = step;
            if (watches) void running.signal;
            const order = bench.order(call, step.kind);
            const stand = bench.pause(order);
            stopped.add(call);
            if (call !== running.call) assert.doesNotMatch(stand, /here|willing/);
            else {
              assert.equal(stand, watches ? 'willing' : 'here');
              terminate();
            }
          };
        if ('kind' in step || step.do === 'resolve') await Promise.resolve();
      }
      while (last < 5) arrive('async');
      // All that waits comes to its end, whatever it was told.
      for (let i = 0; i < 20; i++) {
        bench.turn();
        for (const { resolve } of bench.waits.values()) resolve('value');
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (let call = 1; call <= 5; call++) {
        const seen = bench.settled.get(call) ?? [];
        assert.equal(seen.length, 1, `call ${call} is settled ${seen.length} times`);
        const [{ ok, value }] = seen as [{ ok: boolean; value: any }];
        if (!ok) {
          assert.ok(['InterruptedError', 'CancelledError'].includes(value?.name), `call ${call}: ${value}`);
          assert.ok(stopped.has(call), `call ${call} was stopped, and nobody had told it to`);
        }
      }
      for (let id = 1; id <= bench.ordered(); id++)
        assert.equal(bench.answers.get(id)?.length, 1, `order ${id} is answered ${bench.answers.get(id)}`);
    }),
    { numRuns: 1_000 },
  );
});
