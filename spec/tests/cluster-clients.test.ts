/** What clients of one cluster see of each other, and what their engines print. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { connect, type EngineInfo, SessionLostError, TimeoutError } from 'tutti';
import { task } from 'tutti/engine';
import { describe, expect, test, vi } from 'vitest';
import { first } from './support/conditions.ts';
import { ownHome, using } from './support/shared.ts';

ownHome();

describe('clients', () => {
  test('see each other come and go, and keep the cluster', () =>
    using({ engines: 1, kind: 'thread', name: 'meeting' }, async (c) => {
      const joined = first(c.events$, (e) => e.type === 'client-joined');
      const guest = await connect('meeting', { output: 'ignore' });
      const left = first(c.events$, (e) => e.type === 'client-left');
      assert.equal((await joined).type, 'client-joined');
      await guest.all.push({ shared: 5 });
      assert.deepEqual(await c.all.pull('shared'), [5]);
      const added = first<readonly EngineInfo[]>(guest.engines$, (engines) => engines.length === 2);
      await c.add(1, 'process');
      assert.deepEqual(
        (await added).map((e) => e.kind),
        ['thread', 'process'],
      );
      await guest.close();
      assert.equal((await left).type, 'client-left');
      assert.deepEqual(await c.all.execute('engine.id'), [0, 1]);
    }));

  test('take their calls with them when they leave', () =>
    using({ engines: 1, kind: 'thread', name: 'leaving' }, async (c) => {
      const guest = await connect('leaving', { output: 'ignore' });
      const running = guest
        .engine(0)
        .apply(() => new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve())));
      const queued = guest.engine(0).execute('let ran = true');
      const ended = [running, queued].map((call) => assert.rejects(call.then(), SessionLostError));
      await guest.close();
      await Promise.all(ended);
      assert.equal(await c.engine(0).execute('typeof ran'), 'undefined');
    }));

  test('waitForEngines waits, and gives up when told to', () =>
    using({ engines: 0, kind: 'thread' }, async (c) => {
      await c.waitForEngines(0);
      const wait = c.waitForEngines(2);
      await c.add(1);
      await c.add(1);
      await wait;
      await assert.rejects(
        c.waitForEngines(3, { timeout: 10 }),
        (e: Error) => e instanceof TimeoutError && /10 ms for 3 engines; there are 2/.test(e.message),
      );
      const abort = new AbortController();
      const given = c.waitForEngines(3, { signal: abort.signal });
      abort.abort(new Error('enough'));
      await assert.rejects(given, /enough/);
      await assert.rejects(c.waitForEngines(3, { signal: abort.signal }), /enough/);
      const left = c.waitForEngines(3);
      await Promise.all([c.close(), assert.rejects(left, /gone before it had 3 engines/)]);
    }));
});

describe('output', () => {
  test('inherit prints whole lines with the engine, ignore does not', async () => {
    const printed: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    try {
      for (const output of ['inherit', 'ignore'] as const) {
        await using({ engines: 2, kind: 'thread', output }, async (c) => {
          await c.all.execute(`process.stdout.write('from '); console.log('${output}', engine.id)`);
          const quiet = c.all.execute('console.log("for the subscriber")');
          quiet.stdout$.subscribe();
          await quiet;
        });
      }
    } finally {
      write.mockRestore();
    }
    expect(printed.join('').split('\n').sort()).toEqual(['', '[0] from inherit 0', '[1] from inherit 1']);
  });
});

test('one that was cut off keeps no program alive whose cluster has ended', () => {
  const program = `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { cluster } from 'tutti';
    const c = await cluster({ engines: 0, local: true, clientWindow: 600_000, log: 'silent' });
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const guest = new Worker(
      new URL('data:text/javascript,' + encodeURIComponent(
        "import { workerData } from 'node:worker_threads';" +
        "const { connect } = await import(workerData.tutti);" +
        "await connect(workerData.where); setInterval(() => {}, 1_000);"
      )),
      { workerData: { where: c.connection, tutti: import.meta.resolve('tutti') } },
    );
    while ((await c.status()).clients < 2);
    const connected = sockets();
    await guest.terminate(); // without a goodbye
    while (sockets() >= connected) await new Promise((resolve) => setImmediate(resolve));
    await c.close();
    console.log('closed');
  `;
  const args = ['--input-type=module', '-e', program];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' });
  expect(output).toBe('closed\n');
});
