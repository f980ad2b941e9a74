/** Lines of a file or a pipe, put together to statements. */

export interface Reading {
  isUnfinished(text: string): boolean;
  isCommand(line: string): boolean;
}

/**
 * Of a pipe: each statement as soon as its last line is there, since whoever writes may wait for its answer. So a line that begins
 * with a dot is a command there.
 */
export async function* statementsAsTheyCome(
  lines: AsyncIterable<string>,
  { isUnfinished }: Reading,
): AsyncGenerator<string> {
  let text = '';
  for await (const line of lines) {
    text += text ? `\n${line}` : line;
    if (isUnfinished(text)) continue;
    if (text.trim()) yield text;
    text = '';
  }
  if (text.trim()) yield text;
}

/** Of a file, which is all there: a statement may also go on in a line that begins with `.then(…)`, an operator or `else`. */
export function statementsOf(source: string, { isUnfinished, isCommand }: Reading): string[] {
  const statements: string[] = [];
  const lines = source.split('\n');
  let text = '';
  for (const [i, line] of lines.entries()) {
    text += text ? `\n${line}` : line;
    if (!text.trim()) text = '';
    const next = lines.slice(i + 1).find((one) => one.trim());
    if (!text || isUnfinished(text) || (next !== undefined && goesOn(next) && !isCommand(next))) continue;
    statements.push(text);
    text = '';
  }
  if (text.trim()) statements.push(text);
  return statements;
}

function goesOn(line: string): boolean {
  return /^\s*(?:\?\.|\.(?!\.)|[?:&|*=<>,([`^)\]}]|\/(?![/*])|(?:else|catch|finally)\b)/.test(line);
}
