/** Starting, changing and ending clusters. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type ClusterEvent,
  type ClusterOptions,
  cluster,
  connect,
  EngineLostError,
  processLauncher,
  SessionLostError,
  threadLauncher,
} from 'tutti';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { inFolder, ownHome, using } from './support/shared.ts';

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

describe.each(['process', 'thread'] as const)('a cluster of %s engines', (kind) => {
  test('grows, shrinks and retires ids', () =>
    using({ engines: 0, kind }, async (c) => {
      assert.equal(c.engines.length, 0);
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
      assert.equal(c.engines.length, 0);
      const of = (type: 'engine-joined' | 'engine-removed'): number[] =>
        seen.flatMap((e) => (e.type === type ? [e.engine.id] : [])).sort();
      assert.deepEqual(of('engine-joined'), [0, 1, 2, 3]);
      assert.deepEqual(of('engine-removed'), [0, 1, 2, 3]);
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
    const stuck = assert.rejects(c.all.apply(() => new Promise<void>(() => {})).then(), SessionLostError);
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
    ['engines', { engines: -1 }, /UsageError: engines is 0, 1, 2, …; got -1/],
    ['engines', { engines: 1.5 }, /UsageError: engines is/],
    ['kind', { engines: 0, kind: 'cloud' as never }, /UsageError: 'cloud' is no kind of engine/],
    [
      'controller',
      { engines: 0, controller: 'moon' as never },
      /UsageError: controller is 'embedded' or 'process'; got 'moon'/,
    ],
    [
      'output',
      { engines: 0, output: 'file' as never },
      /UsageError: output is 'inherit', 'ignore' or a function; got 'file'/,
    ],
    ['name', { engines: 0, name: '../up' }, /UsageError: '\.\.\/up' is no name for a cluster/],
    ['listen', { engines: 0, listen: ['pigeon://coop'] }, /pigeon/],
    [
      'an open listener',
      { engines: 0, listen: ['tcp://0.0.0.0:0'] },
      /UsageError: .* can be reached from other machines/,
    ],
    ['cwd', { engines: 1, cwd: '/does/not/exist' }, /UsageError: cwd: \/does\/not\/exist is no folder/],
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
