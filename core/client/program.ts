/** The program that the client is part of. A page in a browser has a stand-in for this file. */

/** What it tells the controller of itself. */
export function aboutProgram(): object {
  return { pid: process.pid };
}

export function printLines(stream: 'stdout' | 'stderr', lines: readonly string[]): void {
  process[stream].write(lines.map((line) => `${line}\n`).join(''));
}
