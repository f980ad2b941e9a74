/** `tutti run`: a script, with all that it imports, on every engine. */
import { statSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import {
  command,
  enginesOption,
  jsonOption,
  kindOption,
  logOf,
  logOptions,
  nameOption,
  targetsOption,
} from '../arguments.ts';
import { ScriptError } from '../errors.ts';
import { interruption } from '../interruption.ts';
import { follow, printJson } from '../output.ts';

export const runCommand = (script: string | undefined, args: string[]) =>
  command({
    command: 'run [script]',
    describe: 'Run a script on every engine',
    builder: (y) =>
      y
        .usage(
          'tutti run [options] script.ts [arguments of the script …]\n\nBundles a script with what it imports and runs it on every engine. ' +
            'Each line that it prints gets `[id] ` before it.\nExits with the first code of a script that is not 0; with 1 if one threw.',
        )
        .positional('script', { type: 'string', describe: 'A .ts or .js file; what follows is its own' })
        .option('engines', enginesOption)
        .option('targets', targetsOption)
        .option('name', nameOption)
        .option('kind', kindOption)
        .options(logOptions)
        .option('json', { ...jsonOption, describe: 'Print [{ engine, exitCode }] as JSON; output goes to stderr' })
        .example('tutti run -n 4 -t 0,1 count.ts --fast a.txt', 'count.ts gets --fast a.txt'),
    handler: async ({ engines, targets, name, kind, json, ...rest }) => {
      if (script === undefined) throw new UsageError('Which script? tutti run -n 4 script.ts');
      if (!statSync(script, { throwIfNoEntry: false })?.isFile())
        throw new UsageError(`Cannot read the script ${script}; give the path of a .ts or .js file`);
      const signal = interruption();
      const [{ openSession }, { runOn }] = await Promise.all([import('../session.ts'), import('../calls.ts')]);
      await using client = await openSession({ engines, name, kind, log: logOf(rest) }, signal);
      const view = targets ? client.view(targets) : client.all;
      const result = view.with({ signal }).run(script, { args });
      const { values, failure, failures } = await runOn(result, signal, follow(client, result, { json }));
      // The script is there, so this says what is wrong inside it.
      if (failure instanceof UsageError) throw new ScriptError(failure.message, { cause: failure });
      const ended = [
        ...values.map(({ engine, value }) => ({ engine, exitCode: value.exitCode })),
        ...failures.map(({ engine }) => ({ engine, exitCode: 1 })),
      ].sort((a, b) => a.engine - b.engine);
      if (json && !failure) printJson(ended);
      process.exitCode = ended.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
      if (failure) throw failure;
    },
  });
