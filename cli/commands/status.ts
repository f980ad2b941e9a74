/** `tutti status`: a cluster, its engines and its numbers; once, or again and again. */
import type { ClusterStatus } from '../../core/cluster-status.ts';
import { UsageError } from '../../core/errors.ts';
import { command, jsonOption, nameOption } from '../arguments.ts';
import { interruption } from '../interruption.ts';
import { printJson } from '../output.ts';
import { statusLine, statusText } from '../status-text.ts';

const EVERY = '2';
/** Longer waits are for a scheduler. */
const LONGEST = 86_400;

export const statusCommand = command({
  command: 'status',
  describe: 'Show a cluster, its engines and its numbers',
  builder: (y) =>
    y
      .option('name', nameOption)
      .option('watch', {
        type: 'string',
        describe: `Show it anew every so many seconds (default ${EVERY}) until Ctrl-C`,
        coerce: seconds,
      })
      .option('json', jsonOption)
      .epilogue('With --watch and without a terminal each time is one line; with --json one document a line.'),
  handler: async ({ name, watch, json }) => {
    const { attach } = await import('../session.ts');
    const signal = watch === undefined ? undefined : interruption();
    await using client = await attach(name, signal);
    const ask = async (): Promise<ClusterStatus> => {
      const status = await client.status();
      return { ...status, clients: status.clients - 1 }; // without this command
    };
    if (!signal) {
      const status = await ask();
      if (json) printJson(status);
      else process.stdout.write(statusText(status));
      return;
    }
    for (let before: ClusterStatus | undefined; ; ) {
      const status = await ask();
      signal.throwIfAborted();
      if (json) printJson(status);
      else if (process.stdout.isTTY) redraw(statusText(status));
      else process.stdout.write(`${statusLine(status, before, new Date())}\n`);
      before = status;
      await pause(watch! * 1_000, signal);
    }
  },
});

/** From the top left, as much as there is room for. */
function redraw(text: string): void {
  // A terminal that does not know its size says 0.
  const rows = process.stdout.rows || 24;
  const columns = process.stdout.columns || 80;
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(0, rows - 1).map((line) => line.slice(0, columns));
  if (lines.length > shown.length) shown[shown.length - 1] = `… and ${lines.length - shown.length + 1} lines more`;
  process.stdout.write(`\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
}

/** Rejects when it is interrupted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

function seconds(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  const value = given === '' ? EVERY : given;
  const n = Number(value);
  if (typeof value !== 'string' || !(n >= 0.1 && n <= LONGEST))
    throw new UsageError(`--watch takes seconds from 0.1 on; got '${given}'`);
  return n;
}
