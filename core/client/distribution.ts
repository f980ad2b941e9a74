/** Cutting data into one piece a target. */
import { typedArray } from '../assembly.ts';
import { UsageError } from '../errors.ts';

type Sliceable = {
  length: number;
  subarray(from: number, to: number): unknown;
} & ArrayLike<unknown>;

/** One piece a target, in target order; empty pieces when there are fewer items than targets. Typed arrays stay typed. */
export function pieces(data: Iterable<unknown>, targets: number, by: 'block' | 'cyclic'): unknown[] {
  checkBy(by);
  const items = materialize(data);
  return Array.from({ length: targets }, (_, target) =>
    by === 'block' ? block(items, target, targets) : cycle(items, target, targets),
  );
}

export function checkBy(by: unknown): void {
  if (by !== 'block' && by !== 'cyclic')
    throw new UsageError(`Data is distributed by 'block' or 'cyclic', not by '${String(by)}'`);
}

/** For map: the shortest list counts, no empty blocks. One list of columns a target. */
export function dealColumns(lists: readonly Iterable<unknown>[], targets: number): unknown[][] {
  if (!lists.length) throw new UsageError('map needs something to map over: map(fn, items)');
  const columns = readUpTo(Math.min(...lists.map((list) => (hasLength(list) ? list.length : Infinity))), lists);
  const length = Math.min(...columns.map((column) => column.length));
  const used = Math.min(targets, length);
  return Array.from({ length: used }, (_, target) => columns.map((column) => block(column, target, used, length)));
}

/** Reads what has no length side by side, until one of them ends or each has given `most`: others may have no end. */
function readUpTo(most: number, lists: readonly Iterable<unknown>[]): ArrayLike<unknown>[] {
  for (const list of lists) checkIterable(list);
  const readers = lists.filter((list) => !hasLength(list)).map((list) => list[Symbol.iterator]());
  const read: unknown[][] = readers.map(() => []);
  reading: for (let n = 0; readers.length && n < most; n++) {
    for (const [i, reader] of readers.entries()) {
      const step = reader.next();
      if (step.done) break reading;
      read[i]!.push(step.value);
    }
  }
  for (const reader of readers) reader.return?.();
  return lists.map((list) => (hasLength(list) ? list : read.shift()!));
}

function materialize(data: Iterable<unknown>): ArrayLike<unknown> {
  if (hasLength(data)) return data;
  checkIterable(data);
  return Array.from(data);
}

function checkIterable(data: Iterable<unknown>): void {
  if (typeof data?.[Symbol.iterator] === 'function') return;
  throw new UsageError(`Only iterables can be cut into pieces; got ${data === null ? 'null' : typeof data}`);
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
  const piece: { [i: number]: unknown } = isTyped(items) ? typedArray(items, length) : new Array(length);
  for (let i = 0; i < length; i++) piece[i] = items[i * targets + target];
  return piece;
}

function hasLength(data: unknown): data is ArrayLike<unknown> {
  return Array.isArray(data) || isTyped(data);
}

function isTyped(data: unknown): data is Sliceable {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}
