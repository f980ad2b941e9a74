#!/usr/bin/env node
/** The command `tutti`. Commands load what they need when they run, so that help and mistakes are answered at once. */
import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { UsageError } from '../core/errors.ts';
import { commandOf, takeText } from './arguments.ts';
import { controllerCommand } from './commands/controller.ts';
import { engineCommand } from './commands/engine.ts';
import { enginesCommand } from './commands/engines.ts';
import { execCommand } from './commands/exec.ts';
import { farmCommand } from './commands/farm.ts';
import { keysCommand } from './commands/keys.ts';
import { listCommand } from './commands/list.ts';
import { paradigmsCommand } from './commands/paradigms.ts';
import { replCommand } from './commands/repl.ts';
import { runCommand } from './commands/run.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { report } from './errors.ts';
import { complaint } from './mistyped.ts';
import { paradigmCommands } from './paradigm-commands.ts';

const { own, text, rest, items } = takeText(hideBin(process.argv));
let json = false;
const builtIn = [
  startCommand,
  stopCommand,
  statusCommand,
  listCommand,
  replCommand,
  execCommand(text),
  runCommand(text, rest),
  farmCommand(text, items),
  enginesCommand,
  keysCommand,
  engineCommand,
  controllerCommand,
  paradigmsCommand,
];
const ofParadigms = await paradigmCommands(commandOf(own), { script: text, rest });
const parser = yargs(own)
  .scriptName('tutti')
  .version(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
  .usage('tutti <command>\n\nInteractive parallel and distributed computing: many engines, one shell.')
  .command([...builtIn, ...ofParadigms] as never)
  .middleware((args) => {
    json = args.json === true;
  })
  .demandCommand(1, 'Which command?')
  .strict()
  .recommendCommands()
  .alias('help', 'h')
  .epilogue('Exit codes: 0 fine · 1 user code failed · 2 usage · 3 no cluster, or refused · 130 interrupted')
  .wrap(Math.min(120, process.stdout.columns ?? 100))
  .locale('en')
  .fail((message, error) => {
    // What yargs itself complains of, and what it made of our own complaints about arguments.
    if (error && error.name !== 'YError') throw error;
    const { options, commands } = parsing();
    throw new UsageError(
      `${complaint(message ?? error.message, own, options)}\nSee: ${['tutti', ...commands].join(' ')} --help`,
    );
  });

/** What the parser knows of the command that it has come to. */
function parsing(): { options: string[]; commands: string[] } {
  const { getOptions, getInternalMethods } = parser as any;
  return {
    options: Object.keys(getOptions.call(parser).key),
    commands: getInternalMethods.call(parser).getContext().commands,
  };
}

try {
  const names = [...builtIn, ...ofParadigms].map(({ command }) => String(command).split(' ')[0]!);
  const named = commandOf(own);
  if (named === undefined || !names.includes(named)) {
    const { pluginCommands } = await import('./plugins.ts');
    json = own.includes('--json'); // what fails before the parser has seen it
    parser.command((await pluginCommands(named, names)) as never);
  }
  await parser.parseAsync();
} catch (error) {
  process.exitCode = await report(error, json);
}
// Once what was written is out: whatever still listens must not hold the command.
process.stdout.write('', () => process.exit());
