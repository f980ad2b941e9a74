/** A controller with what belongs to it: what it keeps, what keeps it from starting, and what is left of it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cluster,
  connect,
  defineParadigm,
  type Logger,
  lmdbStores,
  StoreCorruptError,
  StoreError,
  StoreLockedError,
  TransportError,
  UsageError,
} from 'tutti';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inFolder, ownHome } from './support/shared.ts';

ownHome();

const counter = defineParadigm({
  name: 'spec-counter',
  version: '1.0.0',
  async controller(host) {
    const store = await host.store();
    return {
      async add() {
        const bytes = await store.get('count');
        const count = (bytes?.[0] ?? 0) + 1;
        await store.write([{ key: 'count', value: Uint8Array.of(count) }]);
        return count;
      },
    };
  },
  client: (host) => ({ add: (): Promise<number> => host.controller.ask('add') }),
});

/** The folder for temporary files, where clusters of this file alone put theirs. */
let temporary: string;
const systemTmp = process.env.TMPDIR;
beforeAll(() => {
  temporary = mkdtempSync(path.join(tmpdir(), 'th-'));
  process.env.TMPDIR = temporary;
});
afterAll(() => {
  if (systemTmp === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = systemTmp;
  rmSync(temporary, { recursive: true, force: true });
});

/** Neither connection files nor sockets. */
function expectNothingLeft(): void {
  expect(existsSync(process.env.TUTTI_HOME!)).toBe(false);
  expect(readdirSync(temporary).filter((name) => /^tutti-\w{6}$/.test(name))).toEqual([]);
}

/** A logger that keeps what is said. */
function keeping(lines: string[]): Logger {
  const keep = (message: string): void => void lines.push(message);
  return { debug: keep, info: keep, warn: keep, error: keep };
}

/** Counts twice in one cluster, and once more in the next. */
async function countTwice(durable?: string): Promise<number[]> {
  const counts: number[] = [];
  for (const times of [2, 1]) {
    await using client = await cluster({ engines: 0, durable });
    const { add } = client.use(counter);
    for (let i = 0; i < times; i++) counts.push(await add());
  }
  return counts;
}

describe('durable', () => {
  test('makes what paradigms keep outlive the cluster', () =>
    inFolder(async (folder) => {
      expect(await countTwice(path.join(folder, 'new', 'state'))).toEqual([1, 2, 3]);
    }));

  test('is what it takes: without it, memory ends with the cluster', async () => {
    expect(await countTwice()).toEqual([1, 2, 1]);
  });

  test('is closed with the cluster, and its folder is free again', () =>
    inFolder(async (folder) => {
      const client = await cluster({ engines: 0, durable: folder });
      await expect(lmdbStores(folder).open('x')).rejects.toThrow(StoreLockedError);
      await client.close();
      const stores = lmdbStores(folder);
      await stores.open('x');
      await stores.close();
    }));

  /** Folders that cannot be used, and what says so. */
  const unusable: [string, (folder: string) => string, new (...args: any[]) => Error][] = [
    [
      'a file',
      (folder) => {
        writeFileSync(path.join(folder, 'file'), '');
        return path.join(folder, 'file');
      },
      StoreError,
    ],
    [
      'damaged',
      (folder) => {
        const damaged = path.join(folder, 'damaged');
        mkdirSync(damaged);
        writeFileSync(path.join(damaged, 'data.mdb'), 'not of a store');
        return damaged;
      },
      StoreCorruptError,
    ],
    ['no text', () => 5 as unknown as string, UsageError],
  ];

  test.each(unusable)('that is %s fails the start, and nothing is left', (_what, make, Reason) =>
    inFolder(async (folder) => {
      const lines: string[] = [];
      const durable = make(folder);
      const before = readdirSync(folder, { recursive: true });
      await expect(cluster({ engines: 1, name: 'unusable', durable, log: keeping(lines) })).rejects.toThrow(Reason);
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
      expect(lines.filter((line) => line.includes('listens'))).toEqual([]);
      expectNothingLeft();
    }),
  );

  test('that another process has fails the start with who it is, in whatever process the controller runs', () =>
    inFolder(async (folder) => {
      await using _owner = await cluster({ engines: 0, durable: folder });
      for (const controller of ['embedded', 'process'] as const) {
        const error = await cluster({ engines: 0, controller, durable: folder }).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(StoreLockedError);
        expect(error).toMatchObject({ code: 'STORE_LOCKED', pid: process.pid });
      }
    }));

  test('is a path of this process, also for a controller of its own', () =>
    inFolder(async (folder) => {
      const relative = path.relative(process.cwd(), path.join(folder, 'state'));
      await using _client = await cluster({ engines: 0, controller: 'process', durable: relative, cwd: folder });
      expect(readdirSync(folder)).toEqual(['state']);
    }));
});

describe('a start that fails', () => {
  test.each([
    ['an address that is taken', (port: number) => ({ listen: [`tcp://127.0.0.1:${port}`] }), TransportError],
    ['metrics on a port that is taken', (port: number) => ({ metrics: `127.0.0.1:${port}` }), TransportError],
    ['an address that all can reach', () => ({ listen: ['tcp://0.0.0.0:0'] }), UsageError],
    ['a limit that does not exist', () => ({ limits: { nonsense: 1 } as object }), UsageError],
  ])('because of %s leaves nothing, and its store can be opened', async (_why, options, Reason) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await inFolder(async (durable) => {
        await expect(cluster({ engines: 0, name: 'taken', durable, log: 'silent', ...options(port) })).rejects.toThrow(
          Reason,
        );
        expectNothingLeft();
        const stores = lmdbStores(durable);
        await stores.open('x');
        await stores.close();
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

test('a controller of its own that cannot start ends, whatever its plug-ins have left running', async () => {
  const plugins = [fileURLToPath(new URL('../fixtures/paradigms/ticks.mjs', import.meta.url))];
  const start = cluster({ engines: 0, controller: 'process', plugins, listen: ['tcp://127.0.0.1:x'], log: 'silent' });
  await expect(start).rejects.toThrow(TransportError);
});

test('options that cannot be sent to a controller of its own are said, and leave no process', async () => {
  const env = { A: () => 1 } as unknown as Record<string, string>;
  await expect(cluster({ engines: 0, controller: 'process', env })).rejects.toThrow(UsageError);
  await expect.poll(() => process.getActiveResourcesInfo().filter((what) => what === 'ProcessWrap')).toEqual([]);
});

test('what it says of its start and its end are the first and the last line of its log', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'log');
    const client = await cluster({
      engines: 1,
      kind: 'thread',
      name: 'told',
      durable: folder,
      log: { file, level: 'info' },
    });
    await client.close();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const texts = lines.map((line) => JSON.parse(line).msg);
    expect(texts[0]).toBe("Cluster 'told' listens");
    expect(texts.at(-1)).toBe("Cluster 'told' has stopped");
    expectNothingLeft();
  }));

test('what fails when a client stops the cluster is in its log, and ends no program', async () => {
  const unhandled: unknown[] = [];
  const keep = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', keep);
  const lines: string[] = [];
  const owner = await cluster({ engines: 0, name: 'stuck', log: keeping(lines) });
  const file = path.join(process.env.TUTTI_HOME!, 'stuck.json');
  const guest = await connect('stuck');
  rmSync(file);
  mkdirSync(file); // which no cluster's end takes away
  try {
    await guest.shutdown();
    await expect.poll(() => lines.at(-1)).toBe("Cluster 'stuck' has stopped");
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toContain('A service could not be stopped');
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', keep);
    rmSync(file, { recursive: true });
    rmSync(process.env.TUTTI_HOME!, { recursive: true });
    await owner.close();
  }
});
