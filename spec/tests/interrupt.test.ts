/** A loop is stopped wherever it is, and nothing else is. */
import assert from 'node:assert/strict';
import { type Cluster, cluster, InterruptedError } from 'tutti';
import { task } from 'tutti/engine';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { first } from './support/conditions.ts';
import { inside, type Loop, outside } from './support/loops.ts';

for (const kind of ['process', 'thread'] as const)
  describe(`${kind} engines`, () => {
    let c: Cluster;
    beforeAll(async () => {
      c = await cluster({ engines: 2, kind, output: 'ignore' });
    });
    afterAll(() => c?.close());

    for (const { name, how, code } of [...inside, ...outside])
      test(`${name} is stopped`, async () => {
        await c.all.push({ kept: name });
        await stopped({ how, code });
      });

    test('with a hook on all asynchronous work, each again', async () => {
      await c.all.push({ kept: 'hooked' });
      await c.all.execute(`globalThis.hook = process.getBuiltinModule('node:async_hooks')
        .createHook({ init() {}, before() {}, after() {}, destroy() {} }).enable(); void 0`);
      for (const loop of [...inside.slice(0, 2), ...outside]) await stopped(loop);
      await c.all.execute('hook.disable(); delete globalThis.hook');
    });

    /** On both engines at once. */
    async function stopped({ how, code }: Omit<Loop, 'name'>): Promise<void> {
      const before = c.engines.map(({ pid, incarnation }) => [pid, incarnation]);
      const kept = await c.all.pull('kept');
      const running = c.all.apply(code);
      running.catch(() => {});
      await Promise.all([0, 1].map((id) => first(running.messages$, ({ engine }) => engine === id)));
      const outcomes = await running.interrupt('enough');
      for (const part of await running.settled()) {
        assert.equal(part.status, 'rejected');
        assert.ok(part.reason instanceof InterruptedError, String(part.reason));
        assert.equal(part.reason.message, 'enough');
      }
      for (const [i, { engine, outcome }] of outcomes.entries()) {
        assert.equal(engine, i);
        assert.ok(how.includes(outcome), `it was ${outcome}, not ${how.join(' or ')}`);
      }
      assert.deepEqual(await c.all.apply(whatAnEngineCanDo), ['all well', 'all well'], 'the engines work');
      assert.deepEqual(await c.all.pull('kept'), kept, 'their namespaces are what they were');
      assert.deepEqual(
        c.engines.map(({ pid, incarnation }) => [pid, incarnation]),
        before,
        'they are the same',
      );
    }
  });

/** Timers, immediates, ticks, microtasks, promises and files, and who it is that uses them. */
async function whatAnEngineCanDo(): Promise<string> {
  const { id } = task!;
  const same = (where: string): void => {
    if (task?.id !== id) throw new Error(`Past ${where} it is task ${task?.id}, not ${id}`);
  };
  await new Promise((resolve) => setTimeout(resolve, 1));
  same('a timer');
  await new Promise((resolve) => setImmediate(resolve));
  same('an immediate');
  await process.getBuiltinModule('node:timers/promises').setImmediate();
  same('an immediate of timers/promises');
  await new Promise<void>((resolve) => process.nextTick(resolve));
  same('a tick');
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  same('a microtask');
  await process.getBuiltinModule('node:fs').promises.stat('.');
  same('a file');
  return 'all well';
}
