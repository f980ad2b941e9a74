/**
 * The launcher contract's test suite. For any runner: `launcherCompliance(fixture, { test })` declares the cases, on node:assert.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { type Cluster, type ClusterOptions, cluster, EngineLostError, LaunchError, type Launcher } from '../../main.ts';
import type { Runner } from './transport.ts';

export interface LauncherFixture {
  /** A launcher whose engines run on this machine, seen from it as any others are. Called once a case. */
  launcher(): Launcher;
  /** Do engines have processes of their own? Threads have not. Default true. */
  readonly processes?: boolean;
  /** Further options of each cluster. */
  readonly options?: ClusterOptions;
}

/** What every launcher promises, as test cases. */
export function launcherCompliance(fixture: LauncherFixture, { test }: Runner): void {
  const { processes = true, options = {} } = fixture;

  async function withCluster(engines: number, body: (client: Cluster) => Promise<void>): Promise<void> {
    const client = await cluster({
      output: 'ignore',
      log: 'silent',
      ...options,
      engines,
      launcher: fixture.launcher(),
    });
    const pids = client.engines.map(({ pid }) => pid);
    try {
      await body(client);
      pids.push(...client.engines.map(({ pid }) => pid));
    } finally {
      await client.close();
    }
    if (processes) assert.deepEqual(pids.filter(isThere), [], 'processes are left behind');
  }

  test('engines join, work, and say by which launcher they came; none is left when the cluster has stopped', () =>
    withCluster(2, async (client) => {
      const { kind } = fixture.launcher();
      assert.deepEqual(
        client.engines.map((engine) => [engine.id, engine.kind, engine.state]),
        [
          [0, kind, 'alive'],
          [1, kind, 'alive'],
        ],
      );
      assert.deepEqual(await client.all.apply((n: number) => n * 2, 21), [42, 42]);
      if (processes) assert.equal(new Set(client.engines.map(({ pid }) => pid)).size, 2);
    }));

  test('values go from engine to engine', () =>
    withCluster(2, async (client) => {
      const made = client.engine(0).apply((n: number) => new Uint8Array(n).fill(7), 200_000);
      const sum = client.engine(1).apply((bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0), made);
      assert.equal(await sum, 1_400_000);
    }));

  test("an engine's end is told at once, with how it ended, and whoever waited for it is told", () =>
    withCluster(2, async (client) => {
      const lost = client.engine(0).execute('process.exit(7)');
      await assert.rejects(
        async () => lost,
        (error: Error) => error instanceof EngineLostError && (!processes || error.exitCode === 7),
      );
      assert.equal(await client.engine(1).execute('6 * 7'), 42);
    }));

  test('an engine is started anew under its id', () =>
    withCluster(1, async (client) => {
      const [before] = client.engines;
      await client.engine(0).execute('x = 1');
      await client.restart([0]);
      const [after] = client.engines;
      assert.equal(after!.incarnation, before!.incarnation + 1);
      assert.equal(await client.engine(0).execute('typeof x'), 'undefined');
    }));

  test('engines are added, and removed in the middle of a loop that never ends', () =>
    withCluster(1, async (client) => {
      const [id] = await client.add(1);
      client
        .engine(id!)
        .execute('for (;;);')
        .catch(() => {});
      await client.remove([id!]);
      assert.deepEqual(
        client.engines.map((engine) => engine.id),
        [0],
      );
    }));

  test('kill ends an engine that nobody has let in yet, and keys are on no command line', async () => {
    const launcher = fixture.launcher();
    // Somebody who takes connections and says nothing.
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const token = `e0123456789ab.${'5ec2e7'.repeat(10)}`;
    const handle = launcher.launch({
      ...{ id: 0, urls: [`tcp://127.0.0.1:${port}`], token, cwd: process.cwd(), env: {}, litter: [], beat: 1_000 },
      supervised: false,
    });
    try {
      await Promise.race([once(server, 'connection'), handle.exited.then(() => assert.fail('it has ended by itself'))]);
      assert.deepEqual(
        commandLines().filter((line) => line.includes(token.slice(15))),
        [],
      );
      handle.kill();
      await handle.exited;
      if (processes && handle.pid) assert.equal(isThere(handle.pid), false);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
      await launcher.close?.();
    }
  });

  test('an engine that cannot reach its controller says so, and ends', async () => {
    const launcher = fixture.launcher();
    const handle = launcher.launch({
      ...{ id: 0, urls: ['tcp://127.0.0.1:1'], token: `e0123456789ab.${'0'.repeat(64)}`, cwd: process.cwd() },
      ...{ env: {}, litter: [], beat: 1_000, supervised: false },
    });
    let printed = '';
    handle.onOutput((_, text) => {
      printed += text;
    });
    const { exitCode, error } = await handle.exited;
    await launcher.close?.();
    assert.equal(exitCode, 3);
    assert.match(`${printed}${error?.message ?? ''}`, /nobody listens there/);
  });

  test('where one engine cannot be started none is, and the error says why', async () => {
    const launcher = fixture.launcher();
    let starts = 0;
    const broken: Launcher = {
      ...launcher,
      launch(spec, tell) {
        return launcher.launch(starts++ ? { ...spec, token: 'e0.0' } : spec, tell);
      },
    };
    await assert.rejects(
      cluster({ output: 'ignore', log: 'silent', ...options, engines: 2, launcher: broken }),
      (error: Error) => error instanceof LaunchError && /no key/.test(error.message),
    );
  });
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Of all processes here; none where the system does not show them. */
function commandLines(): string[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return ''; // it has ended meanwhile
        }
      });
  } catch {
    return [];
  }
}
