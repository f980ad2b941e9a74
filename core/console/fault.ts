/** SyntaxError that shows the faulty line with a caret under the fault; `line` and `column` (both from 1) are fields. */
export function syntaxError(source: string, what: string, line: number, column: number): SyntaxError {
  const text = source.split('\n')[line - 1]?.replace(/\r$/, '') ?? '';
  // Tabs stay tabs, so that the caret stands right whatever their width.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  const message = `${what} (line ${line}, column ${column})\n  ${text}\n  ${indent}^`;
  return Object.assign(new SyntaxError(message), { line, column });
}
