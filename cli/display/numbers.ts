/** Typed arrays: a few numbers of each end, and what can be said of all. */
import { inspect } from 'node:util';

type TypedArray = NodeJS.TypedArray;

/** Shorter ones are shown whole. */
const WHOLE = 16;
const ENDS = 3;

export function summary(array: TypedArray): string | undefined {
  if (array.length <= WHOLE || Buffer.isBuffer(array)) return undefined;
  const items = [...array.subarray(0, ENDS), '…', ...array.subarray(-ENDS)].map((item) => item.toString());
  const facts = array instanceof BigInt64Array || array instanceof BigUint64Array ? [] : factsOf(array as Float64Array);
  return [`${array.constructor.name}(${array.length}) [ ${items.join(', ')} ]`, ...facts, size(array.byteLength)].join(
    ', ',
  );
}

function factsOf(array: Float64Array): string[] {
  let [min, max, sum, none] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const item of array) {
    if (Number.isNaN(item)) none++;
    else {
      if (item < min) min = item;
      if (item > max) max = item;
      sum += item;
    }
  }
  const numbers = array.length - none;
  const facts = numbers ? [`min ${short(min)}`, `max ${short(max)}`, `mean ${short(sum / numbers)}`] : [];
  return none ? [...facts, `${none} NaN`] : facts;
}

/** Five digits say enough. */
export function short(n: number): string {
  return inspect(Number.isInteger(n) ? n : Number(n.toPrecision(5)));
}

export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
