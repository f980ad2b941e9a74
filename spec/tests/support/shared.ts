/** One client for all tests of a file, and the ways to have one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, type Cluster, type ClusterOptions, type ConnectionInfo, cluster, connect } from 'tutti';
import { afterAll, beforeAll } from 'vitest';

/** Opens it before the file's tests, and closes it after them. */
export function shared<C extends Client>(open: () => Promise<C>): () => Promise<C> {
  let client: C | undefined;
  beforeAll(async () => {
    client = await open();
  });
  afterAll(() => client?.close());
  return async () => client!;
}

/** A client that has connected to a cluster that stops with it. */
export async function visitor(
  options: ClusterOptions,
  where: (home: Cluster) => string | ConnectionInfo,
): Promise<Client> {
  const home = await cluster({ output: 'ignore', ...options });
  try {
    const client = await connect(where(home), { output: 'ignore' });
    const { close } = client;
    const closeBoth = async (): Promise<void> => {
      await close();
      await home.close();
    };
    return Object.assign(client, { close: closeBoth, [Symbol.asyncDispose]: closeBoth });
  } catch (error) {
    await home.close();
    throw error;
  }
}

/** A cluster for one test. */
export async function using<T>(options: ClusterOptions, body: (c: Cluster) => Promise<T>): Promise<T> {
  const c = await cluster({ output: 'ignore', ...options });
  try {
    return await body(c);
  } finally {
    await c.close();
  }
}

/** A folder that is gone after `use`. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-test-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Connection files of this test file's process go to a folder of their own. */
export function ownHome(): void {
  const before = process.env.TUTTI_HOME;
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(path.join(tmpdir(), 'tutti-home-'));
    process.env.TUTTI_HOME = path.join(home, 'clusters');
  });
  afterAll(() => {
    if (before === undefined) delete process.env.TUTTI_HOME;
    else process.env.TUTTI_HOME = before;
    rmSync(home, { recursive: true, force: true });
  });
}

/** Where the cluster listens with this scheme, as its connection file (in `ownHome`) says. */
export function urlOf(scheme: string): (home: Cluster) => ConnectionInfo {
  return ({ name }) => {
    const file = path.join(process.env.TUTTI_HOME!, `${name}.json`);
    const info = JSON.parse(readFileSync(file, 'utf8')) as ConnectionInfo;
    return { ...info, urls: info.urls.filter((url) => url.startsWith(`${scheme}:`)) };
  };
}
