/** `tutti exec`: code on every engine, the value of its last statement from each. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import {
  command,
  enginesOption,
  fileOption,
  jsonOption,
  kindOption,
  logOf,
  logOptions,
  nameOption,
  targetsOption,
} from '../arguments.ts';
import { interruption } from '../interruption.ts';
import { follow, prefixed, printJson } from '../output.ts';
import { JSON_RULE, jsonable, shown } from '../values.ts';

export const execCommand = (text: string | undefined) =>
  command({
    command: 'exec [code]',
    describe: 'Run code on every engine and print its values',
    builder: (y) =>
      y
        .usage(
          "tutti exec 'code'\n\nRuns TypeScript on every engine, as a console does, and prints the value of the last statement of each.\n" +
            'Without -n it uses the running cluster (default, or --name); where none runs, engines of its own, as many as cores.',
        )
        .positional('code', { type: 'string', describe: 'The code; - reads it from stdin' })
        .option('engines', enginesOption)
        .option('targets', targetsOption)
        .option('name', nameOption)
        .option('kind', kindOption)
        .options(logOptions)
        .option('file', fileOption)
        .option('json', {
          ...jsonOption,
          describe: 'Print the list of values as JSON; output of engines goes to stderr',
        })
        .example("tutti exec -n 4 'engine.id * 10'", 'on four engines of its own')
        .example("tutti exec --name a -t 0,2 'let x: number = 1'", 'on two engines of a cluster')
        .epilogue(JSON_RULE),
    handler: async ({ code: more, file, engines, targets, name, kind, json, ...rest }) => {
      const source = codeOf(text, more, file);
      const signal = interruption();
      const [{ openSession }, { runOn }] = await Promise.all([import('../session.ts'), import('../calls.ts')]);
      await using client = await openSession({ engines, name, kind, log: logOf(rest) }, signal);
      const view = targets ? client.view(targets) : client.all;
      const result = view.with({ signal }).execute(source);
      const output = follow(client, result, { json });
      const { values, failure } = await runOn(result, signal, output);
      if (json && !failure) printJson(values.map(({ value }) => jsonable(value)));
      else if (!json) {
        for (const { engine, value } of values) process.stdout.write(prefixed(engine, shown(value), process.stdout));
      }
      if (failure) throw failure;
    },
  });

function codeOf(code: string | undefined, more: string | undefined, file: string | undefined): string {
  if (more !== undefined) throw new UsageError(`The code is one argument, in quotes; got '${code}' and '${more}'`);
  if ((code === undefined) === (file === undefined))
    throw new UsageError(
      "Which code? Give it as one argument, or a file: tutti exec 'engine.id' · tutti exec --file f.ts",
    );
  if (file === undefined && code !== '-') return code!;
  try {
    return readFileSync(file ?? 0, 'utf8');
  } catch (cause) {
    throw new UsageError(`Cannot read the code: ${(cause as Error).message}`, { cause });
  }
}
