/** How often values of which size occurred: counts between fixed bounds, so that a value costs no memory. */
export class Histogram {
  /** Ascending; `counts[i]` are the values up to `bounds[i]`, the last count is of those above all bounds. */
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  get count(): number {
    return this.counts.reduce((total, n) => total + n, 0);
  }

  add(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]!) i++;
    this.counts[i]!++;
    this.sum += value;
  }

  /** The value below which this share of all lies, as if those between two bounds were spread evenly; 0 of none. */
  quantile(share: number): number {
    let left = share * this.count;
    if (!left) return 0;
    for (const [i, n] of this.counts.entries()) {
      const from = this.bounds[i - 1] ?? 0;
      const to = this.bounds[i] ?? from;
      if (n && left <= n) return from + ((to - from) * left) / n;
      left -= n;
    }
    return this.bounds.at(-1) ?? 0;
  }
}
