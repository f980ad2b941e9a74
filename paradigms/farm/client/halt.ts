/** When a map stops before its source ends, as in GNU parallel. */
import { UsageError } from '../../../core/index.ts';

export interface Halt {
  /** soon: what runs may end. now: it is cancelled. */
  readonly when: 'never' | 'soon' | 'now';
  readonly on?: 'fail' | 'success' | 'done';
  /** So many, or such a share of those that have ended (once there are three). Default: 1. */
  readonly count?: number | `${number}%`;
}

/** A share is none of so few. */
const FEW = 3;

export function checkHalt({ when, on = 'fail', count = 1, ...rest }: Halt): void {
  const [unknown] = Object.keys(rest);
  if (unknown) throw new UsageError(`halt has no '${unknown}'; it has when, on, count`);
  if (!['never', 'soon', 'now'].includes(when))
    throw new UsageError(`halt.when is 'never', 'soon' or 'now'; got ${String(when)}`);
  if (!['fail', 'success', 'done'].includes(on))
    throw new UsageError(`halt.on is 'fail', 'success' or 'done'; got ${String(on)}`);
  const share = typeof count === 'string' ? Number(count.replace(/%$/, '')) : undefined;
  const sound =
    share === undefined
      ? Number.isSafeInteger(count) && (count as number) >= 1
      : /^[\d.]+%$/.test(count as string) && share > 0 && share <= 100;
  if (!sound)
    throw new UsageError(`halt.count is a whole number from 1 on, or a share, e.g. '10%'; got ${String(count)}`);
}

/** Is it time? */
export function halts({ when, on = 'fail', count = 1 }: Halt, done: number, failed: number): boolean {
  if (when === 'never') return false;
  const ended = done + failed;
  const met = on === 'fail' ? failed : on === 'success' ? done : ended;
  if (typeof count === 'number') return met >= count;
  return ended >= FEW && met > 0 && (100 * met) / ended >= Number(count.replace('%', ''));
}
