/**
 * Splits `size` ranks into a grid that is as square as can be, the larger dimensions first.
 * @param dims their number, or a list in which those that are not 0 are fixed
 * @throws RangeError
 */
export function dimsCreate(size: number, dims: number | readonly number[]): number[] {
  const wanted = typeof dims === 'number' ? new Array<number>(dims).fill(0) : [...dims];
  const fixed = wanted.filter((n) => n !== 0).reduce((product, n) => product * n, 1);
  const free = wanted.filter((n) => n === 0).length;
  if (!Number.isInteger(size) || size < 1 || fixed < 1 || size % fixed !== 0 || (free === 0 && fixed !== size))
    throw new RangeError(`dimsCreate: ${size} ranks cannot be split into ${JSON.stringify(dims)}`);
  const found = factors(size / fixed, free);
  return wanted.map((n) => (n === 0 ? found.shift()! : n));
}

/** The most even ones, falling. */
function factors(n: number, count: number): number[] {
  if (count === 0) return [];
  if (count === 1) return [n];
  let best: number[] | undefined;
  for (let first = Math.ceil(n ** (1 / count) - 1e-9); first <= n; first++) {
    if (n % first) continue;
    const rest = factors(n / first, count - 1);
    if (rest[0]! > first) continue;
    const all = [first, ...rest];
    if (!best || all[0]! - all.at(-1)! < best[0]! - best.at(-1)!) best = all;
  }
  return best!;
}
