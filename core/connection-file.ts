/**
 * Connection files: how a program finds a cluster by name. One JSON file a cluster, mode 0600 in a folder of mode 0700,
 * since it holds the secret. `TUTTI_HOME` moves the folder (default `~/.tutti`).
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import type { ConnectionInfo } from './cluster-info.ts';
import { ClusterNotFoundError, UsageError } from './errors.ts';

export function connectionFolder(): string {
  return process.env.TUTTI_HOME ?? path.join(homedir(), '.tutti');
}

export function connectionFile(name: string): string {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new UsageError(`'${name}' is no name for a cluster: use up to 64 letters, digits, '.', '_' or '-'`);
  }
  return path.join(connectionFolder(), `${name}.json`);
}

/** Fails when a cluster of that name is alive; a dead one's file is replaced. */
export function writeConnectionFile(info: ConnectionInfo): string {
  const file = connectionFile(info.name);
  const text = `${JSON.stringify(info, null, 2)}\n`;
  for (;;) {
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new UsageError(
          `Cannot write the connection file ${file}: ${(error as Error).message}. Set TUTTI_HOME to a folder that you can write to`,
          { cause: error },
        );
      }
      if (isAlive(file)) {
        throw new UsageError(
          `A cluster named '${info.name}' is running already (${file}); choose another name or stop it: tutti stop --name ${info.name}`,
        );
      }
      rmSync(file, { force: true });
    }
  }
}

export function removeConnectionFile(file: string): void {
  rmSync(file, { force: true });
  try {
    rmdirSync(path.dirname(file)); // only when it is empty
  } catch {
    // other clusters' files are there
  }
}

export function readConnectionFile(file: string): ConnectionInfo {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ClusterNotFoundError(`No connection file ${file}`, { cause });
  }
  try {
    const info = JSON.parse(text) as ConnectionInfo;
    if (!Array.isArray(info.urls) || typeof info.token !== 'string') throw new Error('it lacks urls or token');
    return info;
  } catch (cause) {
    throw new ClusterNotFoundError(`${file} is not a connection file: ${(cause as Error).message}`, { cause });
  }
}

/** Every cluster with a connection file. Files of clusters on this host whose controller is gone are removed. */
export function listClusters(): ConnectionInfo[] {
  let names: string[];
  try {
    names = readdirSync(connectionFolder());
  } catch {
    return [];
  }
  const clusters: ConnectionInfo[] = [];
  for (const name of names.filter((n) => n.endsWith('.json')).sort()) {
    const file = path.join(connectionFolder(), name);
    if (isAlive(file)) clusters.push(readConnectionFile(file));
    else removeConnectionFile(file);
  }
  return clusters;
}

/** Is the controller of this file's cluster running? One on another host is believed to be. */
export function isAlive(file: string): boolean {
  try {
    const { host, pid } = readConnectionFile(file);
    if (host !== hostname() || !pid) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
