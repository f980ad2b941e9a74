/** Waiting for a call, and what came of it. */
import type { AsyncResult } from '../core/client/async-result.ts';
import { CompositeError } from '../core/errors.ts';

export interface Outcome<T> {
  /** Of the engines where it went well, in id order. */
  values: { engine: number; value: T }[];
  /** What to throw in the end, if some failed. */
  failure: Error | undefined;
  failures: { engine: number; reason: Error }[];
}

/** Rejects when interrupted; otherwise failures are part of the outcome. */
export async function runOn<T>(
  result: AsyncResult<T[]>,
  signal: AbortSignal,
  output: { finish(): void },
): Promise<Outcome<T>> {
  const parts = await result.settled();
  output.finish();
  signal.throwIfAborted();
  parts.sort((a, b) => a.engine - b.engine);
  const values = parts.flatMap((p) => (p.status === 'fulfilled' ? [{ engine: p.engine, value: p.value as T }] : []));
  const failures = parts.flatMap((p) => (p.status === 'rejected' ? [{ engine: p.engine, reason: p.reason }] : []));
  const reasons = failures.map(({ reason }) => reason);
  const failure =
    parts.length === 1 ? reasons[0] : reasons.length ? new CompositeError(reasons, parts.length) : undefined;
  return { values, failure, failures };
}
