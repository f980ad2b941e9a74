/** Alive, busy, frozen, lost: what engines are shown to be, and when. */
import assert from 'node:assert/strict';
import { type Cluster, type ClusterEvent, EngineLostError } from 'tutti';
import { task } from 'tutti/engine';
import { test } from 'vitest';
import { first } from './support/conditions.ts';
import { using } from './support/shared.ts';

const beats = { beat: 50, misses: 3, busyAfter: 100, lostAfter: 1_000 };

function states(c: Cluster): string[] {
  const seen: string[] = [];
  c.events$.subscribe((event: ClusterEvent) => {
    if ('engine' in event && typeof event.engine === 'object' && event.engine.id === 0) {
      const { state } = event.engine;
      if (seen.at(-1) !== state) seen.push(state);
    }
  });
  return seen;
}

const isNow = (c: Cluster, state: string) =>
  first(c.engines$, (engines) => engines.find(({ id }) => id === 0)?.state === state);

for (const kind of ['process', 'thread'] as const)
  test(`a ${kind} engine in a long loop is busy, and alive when it ends`, () =>
    using({ engines: 1, kind, ...beats }, async (c) => {
      const seen = states(c);
      const running = c.engine(0).apply(() => {
        task!.send('in');
        while (!task!.poll());
        return 'done';
      });
      await first(running.messages$, () => true);
      await isNow(c, 'busy');
      // For longer than a silent engine would be given.
      await new Promise((resolve) => setTimeout(resolve, 3 * beats.lostAfter));
      assert.equal(c.engines[0]!.state, 'busy');
      await running.send('go');
      assert.equal(await running, 'done');
      await isNow(c, 'alive');
      assert.ok(!seen.includes('lost') && !seen.includes('frozen'), String(seen));
    }));

test('a stopped engine is frozen, then lost; let go on, it joins anew and works', () =>
  using({ engines: 1, ...beats }, async (c) => {
    const seen = states(c);
    const { pid, incarnation } = c.engines[0]!;
    const waiting = c.engine(0).apply(() => new Promise(() => {}));
    waiting.catch(() => {});
    process.kill(pid, 'SIGSTOP');
    try {
      await isNow(c, 'frozen');
      await isNow(c, 'lost');
      await assert.rejects(async () => waiting, EngineLostError);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await isNow(c, 'alive');
    assert.deepEqual([c.engines[0]!.pid, c.engines[0]!.incarnation], [pid, incarnation + 1]);
    assert.equal(await c.engine(0).execute('1 + 1'), 2);
    // Its supervisor has come, too.
    const running = c.engine(0).apply(() => {
      task!.send('in');
      while (true);
    });
    running.catch(() => {});
    await first(running.messages$, () => true);
    assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'landed' }]);
    assert.ok(seen.indexOf('frozen') < seen.indexOf('lost'), String(seen));
  }));
