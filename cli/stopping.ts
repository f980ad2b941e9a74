/** Stopping a cluster from outside, until it is gone. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { findCluster } from '../core/client/connect.ts';
import type { ClusterStatus } from '../core/cluster-status.ts';
import { isRunning } from '../core/connection-file.ts';
import { TimeoutError } from '../core/errors.ts';
import { attach } from './session.ts';

const PATIENCE = 15_000;
/** A program that embeds a cluster lives on when that is stopped; one that is the cluster ends within this, in ms. */
const PROGRAM_ENDS = 500;

/** Resolves with its name when its engines, its files and (if it was a program of its own) its controller are gone. */
export async function stopCluster(where: string): Promise<string> {
  const info = findCluster(where);
  const client = await attach(where);
  const status = await client.status();
  await client.shutdown();
  if (status.host !== hostname()) return status.name;
  const sockets = info.urls.flatMap((url) => (url.startsWith('unix:') ? [url.slice('unix:'.length)] : []));
  const left = (): number[] => [...enginePids(status), ...(sockets.some((s) => existsSync(s)) ? [status.pid] : [])];
  if (!(await until(() => !left().some(isRunning), PATIENCE)))
    throw new TimeoutError(
      `Cluster '${status.name}' has not ended within ${PATIENCE / 1000} s; what still runs: pid ${left().filter(isRunning).join(', ')}`,
    );
  await until(() => !isRunning(status.pid), PROGRAM_ENDS);
  return status.name;
}

/** Engines that are processes of their own on this host. */
function enginePids({ engines, host, pid }: ClusterStatus): number[] {
  return engines.filter((e) => e.host === host && e.pid !== pid && e.state !== 'lost').map((e) => e.pid);
}

async function until(condition: () => boolean, patience: number): Promise<boolean> {
  const deadline = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
