/** The farm of a file's tests. */
import type { Cluster, ClusterOptions } from 'tutti';
import { type Farm, type FarmOptions, taskFarm } from 'tutti/paradigms';
import { expect } from 'vitest';
import { using } from './shared.ts';

/** A cluster of thread engines and its farm, for one test. */
export function farming<T>(
  body: (farm: Farm, c: Cluster) => Promise<T>,
  { farm, ...options }: ClusterOptions & { farm?: FarmOptions } = {},
): Promise<T> {
  return using({ engines: 2, kind: 'thread', ...options }, (c) => body(c.use(taskFarm, farm ?? {}), c));
}

/** The value, or what was thrown. */
export function outcome(result: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(result).then(
    (value) => value,
    (error) => error,
  );
}

/** Waits until it is so, as long as a loaded machine may need. */
export function eventually<T>(read: () => T): ReturnType<typeof expect<Awaited<T>>> {
  return expect.poll(read, { timeout: 30_000, interval: 20 }) as never;
}
