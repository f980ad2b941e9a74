/**
 * Connection files: how a program finds a cluster by name. One JSON file a cluster, mode 0600 in a folder of mode 0700,
 * since it holds the secret. `TUTTI_HOME` moves the folder (default `~/.tutti`).
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import type { ConnectionInfo } from './cluster-info.ts';
import { ClusterNotFoundError, UsageError } from './errors.ts';

export function connectionFolder(): string {
  return process.env.TUTTI_HOME ?? path.join(homedir(), '.tutti');
}

export function connectionFile(name: string): string {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    const hint = name.includes(':') ? '; an address begins with its transport, e.g. tcp:127.0.0.1:7777' : '';
    throw new UsageError(`'${name}' is no name for a cluster: use up to 64 letters, digits, '.', '_' or '-'${hint}`);
  }
  return path.join(connectionFolder(), `${name}.json`);
}

const ATTEMPTS = 10;

/**
 * Fails when a cluster of that name is alive; a dead one's file is replaced.
 * @param successor it has taken over, so whoever has the file is not the cluster any more, even if it is alive
 */
export function writeConnectionFile(info: ConnectionInfo, successor = false): string {
  const file = connectionFile(info.name);
  const draft = `${file}.${process.pid}`;
  const text = `${JSON.stringify(info, null, 2)}\n`;
  for (let attempt = 1; ; attempt++) {
    try {
      makeFolder(path.dirname(file));
      writeFileSync(draft, text, { mode: 0o600 });
      // All of it or nothing: half a file would look like a dead cluster's.
      try {
        linkSync(draft, file);
      } finally {
        rmSync(draft);
      }
      return file;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another cluster has stopped just now and taken the empty folder away.
      if (code === 'ENOENT' && attempt < ATTEMPTS) continue;
      if (code !== 'EEXIST' || attempt === ATTEMPTS) {
        throw new UsageError(
          `Cannot write the connection file ${file}: ${(error as Error).message}. Set TUTTI_HOME to a folder that you can write to`,
          { cause: error },
        );
      }
      if (successor) removeConnectionFile(file);
      else if (isAlive(file)) {
        throw new UsageError(
          `A cluster named '${info.name}' is running already (${file}); choose another name or stop it: tutti stop --name ${info.name}`,
        );
      } else removeDeadCluster(file);
    }
  }
}

/** Of the same cluster, with other contents. Who reads it meanwhile gets the old ones or the new ones. */
export function replaceConnectionFile(file: string, info: ConnectionInfo): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** With the folders above it; by hand, since Node's own `recursive` never returns where nothing can be made (/proc). */
export function makeFolder(folder: string): void {
  const make = (): void => void mkdirSync(folder, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || path.dirname(folder) === folder) throw error;
    makeFolder(path.dirname(folder));
    make();
  }
}

/** Removes what a cluster whose controller is gone may have left: its connection file, and its folder of sockets. */
export function removeDeadCluster(file: string): void {
  try {
    for (const url of readConnectionFile(file).urls) {
      if (!/^unix:.*[/\\]tutti-\w{6}[/\\]controller\.sock$/.test(url)) continue;
      const folder = path.dirname(url.slice('unix:'.length));
      for (const name of readdirSync(folder).filter((n) => n.endsWith('.sock'))) rmSync(path.join(folder, name));
      rmdirSync(folder);
    }
  } catch {
    // its last engine has removed them, or the file says nothing of them
  }
  removeConnectionFile(file);
}

/** Leaves it alone if another controller has taken over and written its own. */
export function removeOwnConnectionFile(file: string): void {
  try {
    const { host, pid } = readConnectionFile(file);
    if (host !== hostname() || pid !== process.pid) return;
  } catch {
    // nobody can use it
  }
  removeConnectionFile(file);
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
    else removeDeadCluster(file);
  }
  return clusters;
}

/** Is the controller of this file's cluster running? One on another host is believed to be. */
export function isAlive(file: string): boolean {
  try {
    const { host, pid } = readConnectionFile(file);
    return host !== hostname() || !pid || isRunning(pid);
  } catch {
    return false;
  }
}

/** Is there a process of this id on this host? One that has ended is gone, even if its parent has not asked how (as in many containers). */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    return !/\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true; // a system without /proc
  }
}
