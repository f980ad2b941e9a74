/** Commands that move variables between here and the engines, and scripts to them. */
import { statSync } from 'node:fs';
import { type RunResult, UsageError } from '../../core/index.ts';
import { grouped } from '../display/grouped.ts';
import type { Command } from './commands.ts';
import type { Console } from './console.ts';
import { quoted } from './recording.ts';

export const dataCommands: Command[] = [
  {
    name: 'push',
    takes: 'name …',
    help: 'Set variables of the engines to the values of those here',
    async run(console, rest) {
      const names = namesIn('.push', rest);
      const vars = Object.fromEntries(names.map((name) => [name, here(console, name)]));
      await console.wait(Promise.resolve(console.view.push(vars)));
      console.recording.add({ kind: 'view', code: `push({ ${names.join(', ')} })` });
    },
  },
  {
    name: 'pull',
    takes: 'name …',
    help: 'Set variables here to lists of the values that the engines have',
    async run(console, rest) {
      for (const name of namesIn('.pull', rest)) {
        console.local.set(name, await console.showValues(console.view.pull(name)));
        console.recording.add({ kind: 'view', code: `pull(${quoted(name)})`, sets: name });
      }
    },
  },
  {
    name: 'scatter',
    takes: 'name [cyclic]',
    help: 'Cut a list here into one piece an engine, under the same name there',
    async run(console, rest) {
      const { name, by } = dealt('.scatter', rest);
      await console.wait(Promise.resolve(console.view.scatter(name, here(console, name) as Iterable<unknown>, { by })));
      console.recording.add({ kind: 'view', code: `scatter(${quoted(name)}, ${name}, { by: '${by}' })` });
    },
  },
  {
    name: 'gather',
    takes: 'name [cyclic]',
    help: 'Put the pieces of the engines together again, into a variable here',
    async run(console, rest) {
      const { name, by } = dealt('.gather', rest);
      const value: unknown = await console.wait(Promise.resolve(console.view.gather(name, { by })));
      console.local.set(name, value);
      console.showValue(value);
      console.recording.add({ kind: 'view', code: `gather(${quoted(name)}, { by: '${by}' })`, sets: name });
    },
  },
  {
    name: 'run',
    takes: 'file [arguments]',
    help: 'Run a script, with what it imports, on the engines',
    async run(console, rest) {
      const [file, ...args] = rest.split(/\s+/).filter(Boolean);
      if (file === undefined) throw new UsageError('.run takes a script: .run count.ts');
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`Cannot read the script ${file}`);
      const result = console.view.run(file, { args });
      const ended = (await console.wait(Promise.resolve(result))) as RunResult[];
      const codes = ended.map(({ exitCode }, i) => ({ engine: result.targets[i]!, value: `exit code ${exitCode}` }));
      if (ended.some(({ exitCode }) => exitCode !== 0))
        throw new Error(`${file} ended with ${grouped(codes, { ...console.screen.look, colours: false })}`);
      console.recording.add({ kind: 'view', code: `run(${quoted(file)}, { args: [${args.map(quoted).join(', ')}] })` });
    },
  },
];

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function namesIn(command: string, rest: string): string[] {
  const names = rest.split(/[\s,]+/).filter(Boolean);
  if (!names.length) throw new UsageError(`${command} takes names: ${command} a b`);
  for (const name of names) if (!NAME.test(name)) throw new UsageError(`${command} takes names; '${name}' is none`);
  return names;
}

function dealt(command: string, rest: string): { name: string; by: 'block' | 'cyclic' } {
  const [name, by = 'block', ...more] = rest.split(/\s+/).filter(Boolean);
  if (name === undefined || !NAME.test(name) || more.length || (by !== 'block' && by !== 'cyclic'))
    throw new UsageError(
      `${command} takes a name, and how it is dealt out: ${command} data, or ${command} data cyclic`,
    );
  return { name, by };
}

function here(console: Console, name: string): unknown {
  const found = console.local.get(name);
  if (!found) throw new UsageError(`There is no variable '${name}' here; declare it first: let ${name} = …`);
  return found.value;
}
