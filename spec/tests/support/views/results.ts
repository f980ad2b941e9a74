import assert from 'node:assert/strict';
import { CancelledError, Deferred, DependencyError, TimeoutError } from 'tutti';
import { engine, task } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';
import { openGate, pass } from '../gate.ts';

export function resultSuite(check: Check): void {
  check('settled and byEngine tell how each part ended', async ({ all }) => {
    const result = all.execute('if (engine.id === 1) throw new Error("one"); engine.id');
    const [zero, one, two] = await result.settled();
    assert.deepEqual(
      [zero, two],
      [
        { engine: 0, status: 'fulfilled', value: 0 },
        { engine: 2, status: 'fulfilled', value: 2 },
      ],
    );
    assert.ok(one?.status === 'rejected' && one.reason.message === 'one');
    assert.deepEqual(
      [...(await result.byEngine())],
      [
        [0, zero],
        [1, one],
        [2, two],
      ],
    );
    assert.equal(result.status, 'failed');
  });

  check('iterating gives parts as they finish', async ({ all }) => {
    const gate = await openGate();
    try {
      const result = all.apply(async (port: number) => {
        await pass(port, engine.id);
        if (engine.id === 0) throw new Error('zero');
        return engine.id * 10;
      }, gate.port);
      assert.equal(result.status, 'pending');
      const seen: unknown[] = [];
      gate.open(2);
      for await (const part of result) {
        seen.push(part.engine, part.status === 'fulfilled' ? part.value : part.reason.message);
        gate.open(part.engine === 2 ? 0 : 1);
      }
      assert.deepEqual(seen, [2, 20, 0, 'zero', 1, 10]);
      const again: number[] = [];
      for await (const part of result) again.push(part.engine);
      assert.deepEqual(again, [0, 1, 2]);
    } finally {
      await gate.close();
    }
  });

  check('leaving an iteration early leaves the result alone', async ({ all }) => {
    const result = all.execute('engine.id');
    for await (const part of result) {
      assert.equal(part.status, 'fulfilled');
      break;
    }
    assert.deepEqual(await result, [0, 1, 2]);
  });

  check('id, targets and timing', async ({ all, view }) => {
    const result = view([2, 0]).apply(() => task.id);
    assert.deepEqual(await result, [result.id, result.id]);
    assert.deepEqual(result.targets, [2, 0]);
    assert.equal(result.status, 'done');
    const { started, completed, wall, serial, speedup, parts } = result.timing;
    assert.ok(started && completed && started <= completed);
    assert.deepEqual(
      parts.map((p) => p.engine),
      [2, 0],
    );
    assert.equal(
      serial,
      parts.reduce((sum, p) => sum + p.ms, 0),
    );
    assert.equal(speedup, wall > 0 ? serial / wall : 0);
    assert.notEqual(all.execute('1').id, result.id);
  });

  check('addCallback and its kin give new Deferreds', async ({ all, engine: one }) => {
    const result = all.execute('engine.id');
    const sum = result.addCallback((ids) => ids.reduce((a: number, b: number) => a + b, 0));
    assert.ok(sum instanceof Deferred);
    assert.equal(await sum.addCallback((n) => n * 2), 6);
    assert.deepEqual(await result, [0, 1, 2]);
    assert.equal(
      await one(0)
        .execute('throw new Error("x")')
        .addErrback((e) => e.message),
      'x',
    );
    assert.equal(
      await one(0)
        .execute('1')
        .addBoth((v) => v + 1),
      2,
    );
    assert.equal(
      await one(0)
        .execute('1')
        .addCallbacks(
          (v) => v + 2,
          () => -1,
        ),
      3,
    );
    assert.equal(
      await one(0)
        .execute('1')
        .finally(() => {}),
      1,
    );
    assert.equal(
      await one(0)
        .execute('throw 1')
        .catch(() => 'caught'),
      'caught',
    );
    const left = one(0).execute('5');
    const other = left.addCallback((v) => v);
    other.cancel();
    await assert.rejects(async () => other, CancelledError);
    assert.equal(await left, 5);
  });

  check('cancel: never started, signalled, done', async ({ engine: one }) => {
    const gate = await openGate();
    try {
      const running = one(0).apply(async (port: number) => {
        const { signal } = task;
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await pass(port, 'started');
        await aborted;
        engine.namespace.why = String(signal.reason.message);
      }, gate.port);
      await gate.arrived('started');
      const queued = one(0).execute('let ran = true');
      assert.deepEqual(await queued.cancel('not needed'), [{ engine: 0, outcome: 'never-started' }]);
      await assert.rejects(
        async () => queued,
        (e: Error) => e instanceof CancelledError && /not needed/.test(e.message),
      );
      assert.equal(queued.status, 'cancelled');
      const outcome = running.cancel(new Error('enough'));
      await assert.rejects(async () => running, CancelledError);
      gate.open('started');
      assert.deepEqual(await outcome, [{ engine: 0, outcome: 'signalled' }]);
      assert.deepEqual(await one(0).execute('[why, typeof ran]'), ['enough', 'undefined']);
      const done = one(0).execute('1');
      await done;
      assert.deepEqual(await done.cancel(), [{ engine: 0, outcome: 'done' }]);
      assert.equal(await done, 1);
    } finally {
      await gate.close();
    }
  });

  check('a cancelled call ends for those that wait for its value', async ({ engine: one }) => {
    const gate = await openGate();
    try {
      const slow = one(0).apply((port: number) => pass(port, 'slow').then(() => 1), gate.port);
      const user = one(1).apply((x: number) => x, slow);
      await gate.arrived('slow');
      await slow.cancel();
      await assert.rejects(async () => slow, CancelledError);
      await assert.rejects(async () => user, DependencyError);
      assert.equal(await one(1).execute('1 + 1'), 2);
      gate.open('slow');
    } finally {
      await gate.close();
    }
  });

  check('timeout and signal cancel', async ({ all, engine: one }) => {
    const abort = new AbortController();
    const untilAborted = (): Promise<unknown> =>
      new Promise((resolve) => task.signal.addEventListener('abort', resolve));
    await assert.rejects(async () => one(0).with({ timeout: 20 }).apply(untilAborted), TimeoutError);
    const stopped = all.with({ signal: abort.signal, label: 'stopped' }).apply(untilAborted);
    abort.abort(new Error('by hand'));
    const [part] = await stopped.settled();
    assert.ok(part?.status === 'rejected' && part.reason instanceof CancelledError);
    assert.equal((part.reason.cause as Error).message, 'by hand');
    await assert.rejects(async () => one(0).with({ signal: abort.signal }).execute('1'), /by hand|abort/i);
    assert.deepEqual(await all.with({ timeout: 60_000 }).with({ label: 'fine' }).execute('engine.id'), [0, 1, 2]);
  });
}
