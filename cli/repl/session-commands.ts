/** Commands of the console itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import { COMMANDS, type Command, TYPED } from './commands.ts';
import { enginesEntry, entryOf } from './entry.ts';
import { statementsOf } from './statements.ts';

export const sessionCommands: Command[] = [
  {
    name: 'help',
    takes: '',
    help: 'This list',
    run({ screen }) {
      const commands = [...COMMANDS, ...(screen.terminal ? TYPED : [])];
      const usage = commands.map(({ name, takes, help }) => [`.${name} ${takes}`.trim(), help] as const);
      const width = Math.max(...usage.map(([left]) => left.length));
      screen.show(
        [
          'code              runs here (TypeScript); here are client, all, px, farm, ref, tutti and _ (the last value)',
          '% code            runs on the engines that .targets has chosen; equal values are shown once',
          '% code &          the same, without waiting for it',
          '',
          ...usage.map(([left, help]) => `${left.padEnd(width)}  ${help}`),
          '',
          'Ctrl-C stops what runs on the engines and keeps the console; Ctrl-D or .exit leaves.',
        ].join('\n'),
      );
    },
  },
  {
    name: 'px',
    takes: 'code',
    help: 'The same as % code',
    async run(console, rest) {
      if (!rest) throw new UsageError('.px takes code: .px engine.id');
      await console.run(enginesEntry(rest));
    },
  },
  {
    name: 'autopx',
    takes: '',
    help: 'Send every line to the engines, until it is given again',
    run(console) {
      console.autopx = !console.autopx;
      console.screen.show(console.autopx ? 'Every line runs on the engines now' : 'Plain lines run here again');
    },
  },
  {
    name: 'time',
    takes: '[%] code',
    help: 'Run code and tell how long it took',
    async run(console, rest) {
      const entry = entryOf(rest, console.autopx);
      if (entry.kind !== 'here' && entry.kind !== 'engines')
        throw new UsageError('.time takes code: .time sum(data), or .time % sum(data)');
      const start = performance.now();
      await console.run(entry);
      const wall = performance.now() - start;
      const { last } = console.started;
      const timing = entry.kind === 'engines' ? last?.timing : undefined;
      const engines = timing ? `; the engines worked ${ms(timing.serial)}, speed-up ${timing.speedup.toFixed(1)}` : '';
      console.screen.show(`${ms(wall)}${engines}`);
    },
  },
  {
    name: 'load',
    takes: 'file',
    help: 'Run the statements of a file, as if they were typed',
    async run(console, rest) {
      if (!rest) throw new UsageError('.load takes a file: .load session.mjs');
      let source: string;
      try {
        source = readFileSync(rest, 'utf8');
      } catch (cause) {
        throw new UsageError(`Cannot read ${rest}: ${(cause as Error).message}`, { cause });
      }
      const reading = {
        isUnfinished: (text: string) => console.isUnfinished(text),
        isCommand: (line: string) => console.isCommand(line),
      };
      for (const statement of statementsOf(source, reading)) await console.step(statement);
    },
  },
  {
    name: 'save',
    takes: 'file',
    help: 'Write what has run well as a program, for node or tutti run',
    run(console, rest) {
      if (!rest) throw new UsageError('.save takes a file: .save session.mjs');
      try {
        writeFileSync(rest, console.recording.program(console.connection.origin));
      } catch (cause) {
        throw new UsageError(`Cannot write ${rest}: ${(cause as Error).message}`, { cause });
      }
      console.screen.show(`Saved; run it with: node ${rest}`);
    },
  },
  {
    name: 'exit',
    takes: '',
    help: 'Leave; a cluster of its own ends with the console',
    run(console) {
      console.left = true;
    },
  },
];

function ms(n: number): string {
  return n < 1_000 ? `${Number(n.toPrecision(3))} ms` : `${Number((n / 1_000).toPrecision(3))} s`;
}
