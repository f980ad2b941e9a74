/** What somebody may have meant who has mistyped a name. */

/** Of the names, the one that takes the fewest changes to come to, where it takes few. */
export function suggestion(typed: string, names: readonly string[]): string | undefined {
  // One that goes on is what was meant before any that is merely alike.
  const begun = typed.length > 1 ? names.find((name) => name.startsWith(typed)) : undefined;
  if (begun !== undefined) return begun;
  const most = typed.length < 4 ? 1 : 2;
  let best: string | undefined;
  let fewest = most + 1;
  for (const name of names) {
    const changes = changesBetween(typed, name);
    if (changes < fewest) [best, fewest] = [name, changes];
  }
  return best;
}

/** Letters added, left out, replaced, or swapped with their neighbours. */
function changesBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
