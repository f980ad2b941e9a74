/** Starting, changing and ending clusters. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Cluster,
  type ClusterEvent,
  type ClusterOptions,
  cluster,
  connect,
  type EngineInfo,
  EngineLostError,
  processLauncher,
  SessionLostError,
  TimeoutError,
  threadLauncher,
} from 'tutti';
import { task } from 'tutti/engine';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { first } from './support/conditions.ts';
import { inFolder, ownHome } from './support/shared.ts';

ownHome();

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** What clusters of this process have put into the folder for temporary files. */
let temporary: string;
const systemTmp = process.env.TMPDIR;
beforeAll(() => {
  temporary = mkdtempSync(path.join(tmpdir(), 'tt-'));
  process.env.TMPDIR = temporary;
});
afterAll(() => {
  if (systemTmp === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = systemTmp;
  rmSync(temporary, { recursive: true, force: true });
});

async function using<T>(options: ClusterOptions, body: (c: Cluster) => Promise<T>): Promise<T> {
  const c = await cluster({ output: 'ignore', ...options });
  try {
    return await body(c);
  } finally {
    await c.close();
  }
}

describe.each(['process', 'thread'] as const)('a cluster of %s engines', (kind) => {
  test('grows, shrinks and retires ids', () =>
    using({ engines: 0, kind }, async (c) => {
      assert.deepEqual(c.engines, []);
      await assert.rejects(
        async () => c.all.execute('1'),
        /NoEnginesError: The cluster has no engines; add some: cluster\(/,
      );
      await assert.rejects(async () => c.all.map((x) => x, [1]), { code: 'NO_ENGINES' });
      const seen: ClusterEvent[] = [];
      const counts: number[] = [];
      c.events$.subscribe((event) => seen.push(event));
      c.engines$.subscribe((engines) => counts.push(engines.length));
      assert.deepEqual(await c.add(2), [0, 1]);
      await c.scale(3);
      assert.deepEqual(await c.all.execute('[engine.id, engine.size]'), [
        [0, 3],
        [1, 3],
        [2, 3],
      ]);
      await c.remove([1]);
      assert.deepEqual(
        c.engines.map((e) => e.id),
        [0, 2],
      );
      assert.deepEqual(await c.add(1), [3]);
      assert.throws(() => c.engine(1), /InvalidTargetError: There is no engine 1; engines here: 0, 2, 3/);
      await c.scale(1);
      assert.deepEqual(await c.all.execute('[engine.id, engine.size]'), [[0, 1]]);
      await c.scale(0);
      assert.deepEqual(c.engines, []);
      const told = seen.flatMap((e) =>
        'engine' in e && typeof e.engine === 'object' ? [`${e.type} ${e.engine.id}`] : [],
      );
      const of = (type: string): string[] => told.filter((t) => t.startsWith(type)).sort();
      assert.deepEqual(
        of('engine-joined'),
        [0, 1, 2, 3].map((id) => `engine-joined ${id}`),
      );
      assert.deepEqual(
        of('engine-removed'),
        [0, 1, 2, 3].map((id) => `engine-removed ${id}`),
      );
      assert.deepEqual([counts[0], Math.max(...counts), counts.at(-1)], [0, 3, 0]);
    }));

  test('restarts engines under their ids', () =>
    using({ engines: 2, kind }, async (c) => {
      await c.all.execute('let x = 1');
      await c.restart([1]);
      assert.deepEqual(
        c.engines.map((e) => [e.id, e.incarnation, e.state]),
        [
          [0, 1, 'alive'],
          [1, 2, 'alive'],
        ],
      );
      assert.deepEqual(await c.all.execute('typeof x'), ['number', 'undefined']);
      await c.all.restart();
      assert.deepEqual(
        c.engines.map((e) => [e.id, e.incarnation]),
        [
          [0, 2],
          [1, 3],
        ],
      );
      assert.deepEqual(await c.all.execute('typeof x'), ['undefined', 'undefined']);
    }));

  test('a removed or restarted engine rejects what it held', () =>
    using({ engines: 2, kind }, async (c) => {
      const stuck = c.all.apply(() => new Promise<void>(() => {})).settled();
      await c.remove([0]);
      await c.restart([1]);
      for (const part of await stuck) assert.ok(part.status === 'rejected' && part.reason instanceof EngineLostError);
      assert.deepEqual(await c.all.execute('engine.id'), [1]);
    }));

  test('cwd and env reach the engines', () =>
    inFolder((folder) =>
      using({ engines: 1, kind, cwd: folder, env: { TUTTI_TEST_VALUE: 'seen' } }, async (c) => {
        assert.deepEqual(await c.all.execute('process.env.TUTTI_TEST_VALUE'), ['seen']);
        assert.equal(c.engines[0]?.cwd, folder);
        if (kind === 'process') assert.deepEqual(await c.all.execute('process.cwd()'), [realpathSync(folder)]);
      }),
    ));

  test('close ends everything, also the second time', async () => {
    const c = await cluster({ engines: 2, kind, name: 'closing', output: 'ignore' });
    const pids = c.engines.map((e) => e.pid).filter((pid) => pid !== process.pid);
    assert.equal(pids.length, kind === 'process' ? 2 : 0);
    const file = path.join(process.env.TUTTI_HOME!, 'closing.json');
    assert.ok(existsSync(file));
    const stuck = assert.rejects(c.all.apply(() => new Promise<void>(() => {})).then(), AggregateError);
    await c.close();
    await c.close();
    await stuck;
    await assert.rejects(async () => c.all.execute('1'), /SessionLostError: This client is closed|closed/);
    assert.deepEqual(pids.filter(isRunning), []);
    assert.equal(existsSync(file), false);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('await using closes it', async () => {
    let pid: number;
    {
      await using c = await cluster({ engines: 1, kind, output: 'ignore' });
      pid = c.engines[0]!.pid;
      assert.deepEqual(await c.all.execute('engine.id'), [0]);
    }
    assert.equal(isRunning(pid), kind === 'thread');
    assert.deepEqual(readdirSync(temporary), []);
  });
});

describe('a controller of its own', () => {
  test('starts, serves and leaves nothing', async () => {
    const pids = await using({ engines: 2, controller: 'process' }, async (c) => {
      const { pid, engines, clients } = await c.status();
      assert.notEqual(pid, process.pid);
      assert.deepEqual([engines.length, clients], [2, 1]);
      assert.deepEqual(await c.all.execute('engine.id'), [0, 1]);
      await c.add(1);
      assert.deepEqual(await c.engine(2).execute('engine.size'), 3);
      await assert.rejects(
        c.add(1, processLauncher()),
        /UsageError: A launcher of your own needs the controller in this process/,
      );
      return [pid, ...c.engines.map((e) => e.pid)];
    });
    assert.equal(pids.length, 4);
    assert.deepEqual(pids.filter(isRunning), []);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('says what is wrong with its options', async () => {
    await assert.rejects(
      cluster({ engines: 0, controller: 'process', kind: 'cloud' as never }),
      /UsageError: 'cloud' is no kind of engine; kinds: process, thread/,
    );
    await assert.rejects(
      cluster({ engines: 0, controller: 'process', launcher: threadLauncher() }),
      /UsageError: A launcher of your own/,
    );
  });
});

describe('bad options', () => {
  test.each<[string, ClusterOptions, RegExp]>([
    ['engines', { engines: -1 }, /UsageError: engines must be 0, 1, 2, …; got -1/],
    ['engines', { engines: 1.5 }, /UsageError: engines must be/],
    ['kind', { engines: 0, kind: 'cloud' as never }, /UsageError: 'cloud' is no kind of engine/],
    [
      'controller',
      { engines: 0, controller: 'moon' as never },
      /UsageError: controller is 'embedded' or 'process', not 'moon'/,
    ],
    ['output', { engines: 0, output: 'file' as never }, /UsageError: output is 'inherit' or 'ignore', not 'file'/],
    ['name', { engines: 0, name: '../up' }, /UsageError: '\.\.\/up' is no name for a cluster/],
    ['listen', { engines: 0, listen: ['pigeon://coop'] }, /pigeon/],
    [
      'an open listener',
      { engines: 0, listen: ['tcp://0.0.0.0:0'] },
      /UsageError: .* can be reached from other machines/,
    ],
    ['cwd', { engines: 1, cwd: '/does/not/exist' }, /LaunchError: .*\/does\/not\/exist|LaunchError/],
  ])('%s', async (_what, options, message) => {
    await assert.rejects(cluster(options), message);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('what methods refuse', () =>
    using({ engines: 1, kind: 'thread' }, async (c) => {
      await assert.rejects(c.scale(-1), /UsageError: scale to 0, 1, 2, … engines; got -1/);
      await assert.rejects(c.add(0.5), /UsageError: The number of engines/);
      await assert.rejects(c.add(1, 'cloud' as never), /UsageError: 'cloud' is no kind/);
      await assert.rejects(async () => c.remove([5]), /InvalidTargetError: There is no engine 5; engines here: 0/);
      await assert.rejects(async () => c.restart([5]), /InvalidTargetError/);
      assert.throws(() => c.view('all' as never), /UsageError: view takes a list of engine ids/);
    }));

  test('a name that is taken', () =>
    using({ engines: 0, name: 'taken' }, async () => {
      await assert.rejects(
        cluster({ engines: 0, name: 'taken' }),
        /UsageError: A cluster named 'taken' is running already/,
      );
      await assert.rejects(connect('absent'), /ClusterNotFoundError: No cluster named 'absent' is running here/);
    }));
});

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
