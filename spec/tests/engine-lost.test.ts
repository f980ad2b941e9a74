/** An engine that dies during a call: its own part fails, and nothing else. */
import assert from 'node:assert/strict';
import { cluster, EngineLostError, ValueLostError } from 'tutti';
import { engine } from 'tutti/engine';
import { test } from 'vitest';
import { first } from './support/conditions.ts';
import { openGate, pass } from './support/gate.ts';

test('kill -9 of one of four', async () => {
  const c = await cluster({ engines: 4, output: 'ignore' });
  const gate = await openGate();
  try {
    const before = c.engines[2]!;
    const kept = c.engine(2).apply(() => new Uint8Array(200_000));
    await c.engine(2).execute('1');
    const result = c.all.apply(async (port: number) => {
      console.log('last words of', engine.id);
      await pass(port, engine.id);
      return engine.id;
    }, gate.port);
    const user = c
      .engine(0)
      .apply((x: number) => x, c.engine(2).execute('5'))
      .settled();
    await Promise.all([0, 1, 2, 3].map((id) => gate.arrived(id)));
    await first(result.stdout$, ({ engine, text }) => engine === 2 && text.includes('last words')); // it takes a way of its own
    const lost = first(c.events$, (e) => e.type === 'engine-lost');
    process.kill(before.pid, 'SIGKILL');
    for (const id of [0, 1, 3]) gate.open(id);
    const parts = await result.settled();
    assert.deepEqual(
      parts.map((p) => (p.status === 'fulfilled' ? p.value : p.reason.name)),
      [0, 1, 'EngineLostError', 3],
    );
    const { reason } = parts[2] as { reason: Error };
    assert.ok(reason instanceof EngineLostError);
    assert.deepEqual([reason.engine, reason.signal, reason.exitCode], [2, 'SIGKILL', null]);
    assert.match(reason.lastOutput, /last words of 2/);
    assert.equal(((await lost) as { engine: { id: number } }).engine.id, 2);
    assert.equal((await user)[0]?.status, 'rejected');
    await assert.rejects(async () => kept, ValueLostError);
    assert.deepEqual(await c.all.execute('engine.id'), [0, 1, 3]);
    await assert.rejects(async () => c.engine(2).execute('1'), EngineLostError);
    await c.restart([2]);
    assert.deepEqual([c.engines[2]!.id, c.engines[2]!.incarnation], [2, 2]);
    assert.deepEqual(await c.all.execute('engine.id'), [0, 1, 2, 3]);
  } finally {
    await gate.close();
    await c.close();
  }
});

test('process.exit in user code is the end of that engine only', async () => {
  const c = await cluster({ engines: 2, output: 'ignore' });
  try {
    await assert.rejects(
      async () => c.engine(1).execute('console.error("bye"); process.exit(7)'),
      (error: any) => {
        assert.ok(error instanceof EngineLostError);
        assert.deepEqual([error.exitCode, error.signal], [7, null]);
        return true;
      },
    );
    assert.deepEqual(await c.all.execute('engine.id'), [0]);
  } finally {
    await c.close();
  }
});
