/** Many engines: started a few at a time, and ended cleanly where the machine has no room for all. */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cluster, type EngineExit, type EngineHandle, LaunchError, type Launcher, threadLauncher } from 'tutti';
import { expect, test } from 'vitest';
import { isRunning } from '../fixtures/cli/terminal.ts';
import { using } from './support/shared.ts';

test('32 thread engines and 8 process engines work together, and are gone afterwards', async () => {
  const pids = await using({ engines: 32, kind: 'thread' }, async (client) => {
    expect(await client.add(8, 'process')).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
    expect(client.engines.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, id) => id));
    expect(await client.all.execute('engine.size')).toEqual(new Array(40).fill(40));
    const items = Array.from({ length: 1_000 }, (_, i) => i);
    expect(await client.all.map((x: number) => x * 2, items)).toEqual(items.map((x) => x * 2));
    await client.scale(4);
    expect(await client.all.execute('engine.size')).toEqual([4, 4, 4, 4]);
    await client.add(1, 'process');
    return client.engines.map(({ pid }) => pid).filter((pid) => pid !== process.pid);
  });
  expect(pids).toHaveLength(1);
  expect(pids.filter(isRunning)).toEqual([]);
});

/** Threads, with a count of how many are starting. */
function countingLauncher(atOnce?: number): Launcher & { most: number } {
  const threads = threadLauncher();
  let starting = 0;
  const launcher = {
    kind: threads.kind,
    scheme: threads.scheme,
    ...(atOnce !== undefined && { atOnce }),
    most: 0,
    launch(spec: Parameters<Launcher['launch']>[0]): EngineHandle {
      launcher.most = Math.max(launcher.most, ++starting);
      joins.set(spec.id, () => starting--);
      return threads.launch(spec);
    },
  };
  const joins = new Map<number, () => void>();
  return Object.assign(launcher, { joined: (id: number) => joins.get(id)?.() });
}

test.each([undefined, 1, 3])('engines start a few at a time (atOnce: %s)', async (atOnce) => {
  const launcher = countingLauncher(atOnce) as ReturnType<typeof countingLauncher> & { joined(id: number): void };
  await using({ engines: 0, kind: 'thread' }, async (client) => {
    const seen = client.events$.subscribe((event) => {
      if (event.type === 'engine-joined') launcher.joined(event.engine.id);
    });
    await client.add(12, launcher);
    seen.unsubscribe();
  });
  // News of a join takes a turn or two; until then the next one may have begun.
  const width = atOnce ?? 2 * availableParallelism();
  expect(launcher.most).toBeGreaterThanOrEqual(Math.min(width, 12));
  expect(launcher.most).toBeLessThanOrEqual(2 * width);
});

/** Fails at its nth engine, as Node does when files run out: one way or the other. */
function failingLauncher(
  nth: number,
  how: 'throws' | 'exits',
): Launcher & { launched: number; running: Set<EngineHandle> } {
  const threads = threadLauncher();
  const error = Object.assign(new Error('spawn node EMFILE'), { code: 'EMFILE' });
  const launcher = {
    kind: threads.kind,
    scheme: threads.scheme,
    atOnce: 2,
    launched: 0,
    running: new Set<EngineHandle>(),
    launch(spec: Parameters<Launcher['launch']>[0]): EngineHandle {
      if (++launcher.launched === nth) {
        if (how === 'throws') throw error;
        const exit: EngineExit = { exitCode: null, signal: null, error };
        return { pid: -1, exited: Promise.resolve(exit), onOutput: () => {}, kill: () => {} };
      }
      const handle = threads.launch(spec);
      launcher.running.add(handle);
      void handle.exited.then(() => launcher.running.delete(handle));
      return handle;
    },
  };
  return launcher;
}

test.each(['throws', 'exits'] as const)(
  'one that the machine has no room for (%s): none of its batch stays, the others do',
  async (how) => {
    await using({ engines: 2, kind: 'thread' }, async (client) => {
      const launcher = failingLauncher(4, how);
      const failure = client.add(20, launcher);
      await expect(failure).rejects.toThrow(LaunchError);
      await expect(failure).rejects.toThrow(
        /as many files open as it may \(ulimit -n.*start fewer engines, or raise the limit \(EMFILE\)/,
      );
      expect(launcher.launched).toBeLessThan(8);
      expect(launcher.running.size).toBe(0);
      expect(await client.all.execute('engine.size')).toEqual([2, 2]);
      expect(client.engines.map(({ id }) => id)).toEqual([0, 1]);
      expect(await client.add(1)).toHaveLength(1);
    });
  },
);

test.runIf(process.platform === 'linux')(
  'a program that runs out of files says so, and leaves no engine behind',
  () => {
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const program = `
    import { cluster } from ${JSON.stringify(main)};
    await cluster({ engines: 60 }).catch((error) => console.log(error.code, error.message));
    console.log('over');`;
    const script = `ulimit -n 200; exec "$0" --input-type=module -e "$1"`;
    const output = execFileSync('bash', ['-c', script, process.execPath, program], { encoding: 'utf8' });
    expect(output).toMatch(/^LAUNCH An engine could not be started on .*ulimit -n.*\nover\n$/);
  },
);

test('a cluster that is closed while its engines start does not start the rest', async () => {
  const launcher = countingLauncher(1);
  const client = await cluster({ engines: 0, kind: 'thread', output: 'ignore' });
  const adding = client.add(10, launcher).catch((error) => error);
  await expect.poll(() => launcher.most).toBeGreaterThan(0);
  await client.close();
  expect(await adding).toBeInstanceOf(LaunchError);
  expect(launcher.most).toBeLessThan(10);
});
