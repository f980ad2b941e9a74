/** Cutting data into one piece a target. */
import { UsageError } from '../errors.ts';

type Sliceable = {
  length: number;
  subarray(from: number, to: number): unknown;
  constructor: new (n: number) => { [i: number]: unknown };
} & ArrayLike<unknown>;

/** One piece a target, in target order; empty pieces when there are fewer items than targets. Typed arrays stay typed. */
export function pieces(data: Iterable<unknown>, targets: number, by: 'block' | 'cyclic'): unknown[] {
  if (by !== 'block' && by !== 'cyclic')
    throw new UsageError(`Data is distributed by 'block' or 'cyclic', not by '${String(by)}'`);
  const items = materialize(data);
  return Array.from({ length: targets }, (_, target) =>
    by === 'block' ? block(items, target, targets) : cycle(items, target, targets),
  );
}

/** For map: the shortest list counts, no empty blocks. One list of columns a target. */
export function dealColumns(lists: readonly Iterable<unknown>[], targets: number): unknown[][] {
  if (!lists.length) throw new UsageError('map needs something to map over: map(fn, items)');
  const columns = lists.map(materialize);
  const length = Math.min(...columns.map((column) => column.length));
  const used = Math.min(targets, length);
  return Array.from({ length: used }, (_, target) => columns.map((column) => block(column, target, used, length)));
}

function materialize(data: Iterable<unknown>): ArrayLike<unknown> {
  if (Array.isArray(data) || isTyped(data)) return data as ArrayLike<unknown>;
  if (typeof data?.[Symbol.iterator] !== 'function') {
    throw new UsageError(`Only iterables can be cut into pieces; got ${data === null ? 'null' : typeof data}`);
  }
  return Array.from(data);
}

function block(items: ArrayLike<unknown>, target: number, targets: number, length = items.length): unknown {
  const size = Math.floor(length / targets);
  const longer = length % targets;
  const from = target * size + Math.min(target, longer);
  const to = from + size + (target < longer ? 1 : 0);
  return isTyped(items) ? items.subarray(from, to) : (items as unknown[]).slice(from, to);
}

function cycle(items: ArrayLike<unknown>, target: number, targets: number): unknown {
  const length = Math.max(0, Math.ceil((items.length - target) / targets));
  const piece: { [i: number]: unknown } = isTyped(items) ? new items.constructor(length) : new Array(length);
  for (let i = 0; i < length; i++) piece[i] = items[i * targets + target];
  return piece;
}

function isTyped(data: unknown): data is Sliceable {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}
