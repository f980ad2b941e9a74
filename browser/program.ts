/** Stands in for `core/client/program.ts`: lines go to the page's console. */
import { pageOrigin } from './page.ts';

export function aboutProgram(): object {
  return { page: pageOrigin() };
}

export function printLines(stream: 'stdout' | 'stderr', lines: readonly string[]): void {
  const print = stream === 'stdout' ? console.log : console.error;
  for (const line of lines) print(line);
}
