/** Interrupts and cancels that come at any time, with engines that die meanwhile: every call settles, every order is answered. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AsyncResult, CancelledError, type Cluster, EngineLostError, InterruptedError } from 'tutti';
import { task } from 'tutti/engine';
import { test } from 'vitest';
import { until } from './support/conditions.ts';
import { using } from './support/shared.ts';

/** What calls do. */
const CODES: Record<string, () => unknown> = {
  quick: () => 'value',
  loops: () => {
    while (true);
  },
  loopsLater: async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let i = 0; ; i++) Math.sqrt(i);
  },
  waits: () => new Promise(() => {}),
  slow: () => new Promise((resolve) => setTimeout(resolve, 10, 'value')),
  heeds: () => new Promise((_, reject) => task!.signal.addEventListener('abort', () => reject(task!.signal.reason))),
  prints: () => {
    for (let i = 0; i < 500; i++) console.log(i);
    return 'value';
  },
};

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...Object.keys(CODES)) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('interrupt', 'cancel'), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('interrupt engine') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pause'), ms: fc.nat(20) }) },
);

for (const kind of ['process', 'thread'] as const)
  test(`on ${kind} engines nothing hangs, and nothing is answered that was not asked`, () =>
    using({ engines: 1, kind }, (c) =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (script) => {
          const before = c.engines[0]!.incarnation;
          const calls = await carryOut(c, script);
          for (const { result, stopped } of calls) {
            const [part] = await result.settled();
            if (part!.status === 'fulfilled') assert.equal(part!.value, 'value');
            else {
              const { reason } = part!;
              assert.ok(reason instanceof InterruptedError || reason instanceof CancelledError, String(reason));
              assert.ok(stopped || script.some((s) => s.do === 'interrupt engine' || s.do === 'loopsLater'));
            }
          }
          assert.equal(await c.engine(0).execute('1 + 1'), 2);
          assert.deepEqual(await c.tasks(), []);
          assert.equal(c.engines[0]!.incarnation, before, 'the engine is the same');
        }),
        { numRuns: 25 },
      ),
    ));

test('with an engine that dies in the middle', () =>
  using({ engines: 1 }, (c) =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), fc.nat(9), async (script, when) => {
        const { pid, incarnation } = c.engines[0]!;
        const kill = { do: 'kill', run: () => void process.kill(pid, 'SIGKILL') };
        const calls = await carryOut(c, [...script.slice(0, when), kill, ...script.slice(when)]);
        for (const { result } of calls) {
          const [part] = await result.settled();
          if (part!.status === 'fulfilled') assert.equal(part!.value, 'value');
          else
            assert.ok(
              [InterruptedError, CancelledError, EngineLostError].some((kind) => part!.reason instanceof kind),
              String(part!.reason),
            );
        }
        await until(
          () => c.engines[0]!.state,
          (state) => state === 'lost',
        );
        await c.restart([0]);
        assert.ok(c.engines[0]!.incarnation > incarnation);
        assert.deepEqual(await c.tasks(), []);
      }),
      { numRuns: 6 },
    ),
  ));

interface Made {
  result: AsyncResult<any, any>;
  stopped: boolean;
}

async function carryOut(
  c: Cluster,
  script: { do: string; which?: number; ms?: number; run?: () => void }[],
): Promise<Made[]> {
  const calls: Made[] = [];
  const orders: Promise<unknown>[] = [];
  for (const { do: what, which = 0, ms, run } of script) {
    if (run) run();
    else if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, ms));
    else if (what === 'interrupt engine')
      orders.push(
        c
          .engine(0)
          .interrupt()
          .catch(() => {}),
      );
    else if (what === 'interrupt' || what === 'cancel') {
      const call = calls[which % (calls.length || 1)];
      if (!call) continue;
      call.stopped = true;
      orders.push(call.result[what]());
    } else {
      const result = c.engine(0).apply(CODES[what]!);
      result.catch(() => {});
      calls.push({ result, stopped: false });
    }
  }
  // What would go on for ever is stopped in the end.
  for (const call of [...calls].reverse()) {
    call.stopped = true;
    orders.push(call.result.interrupt());
  }
  await Promise.all(orders);
  return calls;
}
