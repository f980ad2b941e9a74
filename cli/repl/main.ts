/** Puts a console together: its cluster, its screen, and whoever types. */
import { readFileSync } from 'node:fs';
import { CancelledError } from '../../core/errors.ts';
import { exitCodeOf } from '../errors.ts';
import { interruption } from '../interruption.ts';
import { ranges } from '../ranges.ts';
import type { Where } from '../session.ts';
import { Connection } from './connection.ts';
import { Console } from './console.ts';
import { onPipe } from './piped.ts';
import { loadParadigms } from './preloaded.ts';
import { plainScreen } from './screen.ts';
import { Started } from './started.ts';
import { onTerminal } from './terminal.ts';
import { TerminalScreen } from './terminal-screen.ts';

export interface ConsoleOptions extends Where {
  targets: number[] | undefined;
  keepGoing: boolean;
}

// Code that is typed is run by a part of Node that says so at its first use, into the middle of the screen.
const { emitWarning } = process;
process.emitWarning = ((warning: string | Error, ...rest: [never]) => {
  if (rest[0] !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
}) as typeof emitWarning;

export async function runConsole({ targets, keepGoing, ...where }: ConsoleOptions): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? new TerminalScreen(process.stdout) : undefined;
  const screen = terminal ?? plainScreen();
  const started = new Started();
  const connection = new Connection({
    ...where,
    output: (printed) => screen.output(printed),
    tell: (text) => screen.tell(text),
    opened: (client) => started.follow(client),
  });
  await Promise.all([connection.open(), loadParadigms()]);
  try {
    const console = new Console(connection, screen, started);
    if (targets) connection.client.view(targets); // throws for one that is not there
    console.targets = targets;
    if (terminal) await onTerminal(console, terminal, greeting(connection));
    else await piped(console, keepGoing);
  } finally {
    await connection.close();
  }
}

async function piped(console: Console, keepGoing: boolean): Promise<void> {
  const signal = interruption();
  signal.addEventListener('abort', () => console.interruption.interrupt(), { once: true });
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error) => console.tellFailure(error));
  await onPipe(console, { keepGoing, signal });
  signal.throwIfAborted();
  if (console.failure !== undefined) process.exitCode = exitCodeOf(console.failure);
  if (console.failure instanceof CancelledError) process.exitCode = exitCodeOf(console.failure);
}

function greeting({ client, isOwn }: Connection): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const engines = client.all.targets;
  const what = engines.length ? `engines ${ranges(engines)}` : 'no engines';
  const where = isOwn ? `${what}, for as long as this console` : `${what} of cluster '${client.name}'`;
  return `tutti ${version}: ${where}. Lines run here, lines with % on the engines; .help tells more.`;
}
