/** What one client, or all strangers together, may take of a cluster. Beyond it, a call fails or a peer goes; nothing else does. */
import { LimitError, UsageError } from '../errors.ts';

export interface Limits {
  /** Calls of one client that are not answered yet, counted once for each target. Default 250,000. */
  pendingCalls: number;
  /** Bytes of one client's results that stay on engines. Default 4 GiB. */
  retainedBytes: number;
  /** Bytes of the code that one client has sent. Default 256 MiB. */
  codeBytes: number;
  /** Bytes that wait for one client to read them, beside those it fetches. Default 256 MiB. */
  bufferedBytes: number;
  /** Bytes that wait for one engine to read them. Default 512 MiB. */
  engineBytes: number;
  /** Connections at a time that have not proved who they are; 16 times as many wait. Default 256. */
  strangers: number;
  /** Engines, those that are lost and not removed included. Default 1,024. */
  engines: number;
}

const MIB = 1 << 20;

export const DEFAULT_LIMITS: Limits = {
  pendingCalls: 250_000,
  retainedBytes: 4_096 * MIB,
  codeBytes: 256 * MIB,
  bufferedBytes: 256 * MIB,
  engineBytes: 512 * MIB,
  strangers: 256,
  engines: 1_024,
};

/** What to do, for whoever meets it. */
const ADVICE: Record<keyof Limits, string> = {
  pendingCalls: 'await or cancel calls before you make more',
  retainedBytes: 'await results, or release() those that nobody needs',
  codeBytes: 'send fewer different functions and scripts, or connect anew',
  bufferedBytes: 'read results sooner, or ask for fewer at a time',
  engineBytes: 'send less at a time, or restart the engine if it is stuck',
  strangers: 'try again later',
  engines: 'remove engines that are not needed',
};

export function limitsOf(given: Partial<Limits> = {}): Limits {
  for (const [name, max] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name))
      throw new UsageError(`There is no limit '${name}'; limits: ${Object.keys(DEFAULT_LIMITS).join(', ')}`);
    if (typeof max !== 'number' || !(max >= 0))
      throw new UsageError(`limits.${name} is a number from 0 on; got ${String(max)}`);
  }
  return { ...DEFAULT_LIMITS, ...given };
}

/** `what` says who has how much. */
export function exceeded(limit: keyof Limits, max: number, what: string): LimitError {
  return new LimitError(`${what}; ${ADVICE[limit]} (limits.${limit} of the cluster: ${max})`, { limit, max });
}
