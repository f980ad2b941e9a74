/** `tutti repl`: the console, on a terminal or from a pipe. */
import { command, enginesOption, kindOption, logOf, logOptions, nameOption, targetsOption } from '../arguments.ts';

export const replCommand = command({
  command: 'repl',
  describe: 'A console: lines run here, lines with % on the engines',
  builder: (y) =>
    y
      .usage(
        'tutti repl\n\nA console for TypeScript. Plain lines run in it, lines that begin with % on the engines, and .help lists its commands.\n' +
          'Without -n it uses the running cluster (default, or --name); where none runs, engines of its own, as many as cores.\n' +
          'From a pipe or a file it runs statement by statement, and ends at the first that fails.',
      )
      .option('engines', enginesOption)
      .option('targets', targetsOption)
      .option('name', nameOption)
      .option('kind', kindOption)
      .options(logOptions)
      .option('keep-going', {
        type: 'boolean',
        default: false,
        describe: 'From a pipe or a file: go on after a statement that fails',
      })
      .example('tutti repl -n 4', 'then, for example: % engine.id * 10')
      .example("printf '%% engine.id\\n' | tutti repl -n 4", 'the values of four engines'),
  handler: async ({ engines, targets, name, kind, 'keep-going': keepGoing, ...rest }) => {
    const { runConsole } = await import('../repl/main.ts');
    await runConsole({ engines, targets, name, kind, log: logOf(rest), keepGoing });
  },
});
