/** Columns as wide as their widest cell. Numbers stand right. */
export function cells(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  colours = false,
): { lines: string[]; width: number } {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => String(row[i]).length)));
  const right = header.map((_, i) => rows.every((row) => typeof row[i] === 'number' || row[i] === ''));
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, i) => (right[i] ? String(cell).padStart(widths[i]!) : String(cell).padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const [first, ...rest] = [header, ...rows].map(line);
  return {
    lines: [colours ? `\u001b[1m${first}\u001b[22m` : first!, ...rest],
    width: widths.reduce((sum, one) => sum + one + 2, -2),
  };
}
