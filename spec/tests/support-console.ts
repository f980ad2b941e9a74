/** Transcripts of the console in the documentation: typed again in a pseudo-terminal, and what it shows compared. */
import type { expect } from 'vitest';
import { PseudoTerminal } from '../fixtures/cli/pseudo-terminal.ts';
import { MAIN } from '../fixtures/cli/terminal.ts';
import { compared, expectation } from './support-docs.ts';

const ASKED = /^(tutti[^>\n]*>|\.\.\.)(?: (.*))?$/;

/**
 * Its first line is the command (`$ npx tutti …`); the second, if it ends with `…`, stands for the greeting. A line with a prompt is typed
 * as soon as the screen shows all that stands before it; `^C` presses Ctrl-C.
 */
export async function replay(
  transcript: string,
  cwd: string,
  env: Record<string, string>,
  expected: typeof expect,
): Promise<void> {
  const [command = '', ...lines] = transcript.trimEnd().split('\n');
  const args = command.replace(/^\$ npx tutti /, '').split(' ');
  const console = new PseudoTerminal({ cwd, env }, args, { size: { cols: 140, rows: 60 }, main: [MAIN] });
  const seen: string[] = [];
  const shown = (text: string): string =>
    text
      .split('\n')
      .filter((line) => !/[█░]/.test(line))
      .join('\n');
  const shows = async (wanted: string[]): Promise<void> => {
    const fits = (text: string): boolean => {
      const { actual, expected } = compared(shown(text), expectation(wanted.join('\n')));
      return actual.join('\n') === expected.join('\n');
    };
    await console.until(fits, 'what the transcript has').catch(() => {
      const { actual, expected: all } = compared(shown(console.text), expectation(wanted.join('\n')));
      expected(actual).toEqual(all);
    });
  };
  try {
    for (const line of lines) {
      const [, prompt, typed] = ASKED.exec(line) ?? [];
      if (line === '^C') console.type('\u0003');
      else if (prompt !== undefined && !(seen.length === 0 && line.endsWith('…'))) {
        await shows([...seen, prompt]);
        console.type(`${typed ?? ''}\r`);
        seen.push(line);
      } else seen.push(line);
      if (seen.length === 1) seen[0] = seen[0]!.replace(/^tutti …$/, '…');
    }
    await shows([...seen, 'tutti…>']);
    console.type('\u0004');
    const { exitCode } = await console.exited;
    expected(exitCode).toBe(0);
  } finally {
    console.close();
  }
}
