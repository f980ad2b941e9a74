/** `tutti farm`: a command, or a script's function, for each item, as many at a time as there are engines. */
import { statSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import type { Halt } from '../../paradigms/index.ts';
import { command, enginesOption, jsonOption, kindOption, nameOption, text } from '../arguments.ts';
import { Joblog } from '../farm/joblog.ts';
import { rehearse } from '../farm/jobs.ts';
import { INTERRUPTED, interruptionInStages } from '../interruption.ts';
import { prefixed, say } from '../output.ts';
import type { Output } from '../session.ts';

const SCRIPT = /\.[cm]?[jt]s$/;

export const farmCommand = (what: string | undefined, items: readonly string[] | undefined) =>
  command({
    command: 'farm [command]',
    describe: 'Run a command or a function for each of many items',
    builder: (y) =>
      y
        .usage(
          "tutti farm 'command {}' ::: items …\ntutti farm script.ts --input items.jsonl\n\nItems follow :::, or come line by line from --input or stdin. In commands {} is the item, " +
            '{.} the item without its extension, {/} its file name, {//} its folder, {/.} its file name without extension, {#} its number. ' +
            'Of a script, the default export is called with each item; what it returns is printed as JSON.\nCtrl-C begins nothing new and lets what runs end; a second one ends that, too.',
        )
        .positional('command', { type: 'string', describe: 'A command for the shell, or a .ts or .js file' })
        .option('engines', enginesOption)
        .option('name', nameOption)
        .option('kind', kindOption)
        .option('input', text('--input', 'A file with an item a line; .jsonl: JSON values; -: stdin, as without it'))
        .option('jobs', {
          ...text('--jobs', 'How many at a time (default: one an engine)'),
          alias: 'j',
          coerce: count('--jobs'),
        })
        .option('attempts', { ...text('--attempts', 'Runs of a job in all (default: 1)'), coerce: count('--attempts') })
        .option('timeout', { ...text('--timeout', 'Seconds that a run may take'), coerce: seconds })
        .option('halt', {
          ...text(
            '--halt',
            'When to stop early: soon or now, fail or success, and how many: now,fail=1 or soon,fail=10%',
          ),
          coerce: haltOf,
        })
        .option('keep-order', {
          type: 'boolean',
          alias: 'k',
          default: false,
          describe: 'Print in the order of the items',
        })
        .option('joblog', text('--joblog', 'Write a line for each job that has ended'))
        .option('resume', { type: 'boolean', default: false, describe: 'Leave out what the joblog says is done' })
        .option('results', text('--results', 'Keep the output of each job in a folder'))
        .option('dry-run', { type: 'boolean', default: false, describe: 'Print the commands, and run none' })
        .option('progress', { type: 'boolean', default: true, describe: 'Show a bar, on a terminal' })
        .option('json', { ...jsonOption, describe: 'Print [{ seq, item, exit, stdout, … }] as JSON' })
        .example("tutti farm 'gzip -k {}' ::: *.txt", 'compresses files')
        .example("ls *.csv | tutti farm -n 4 'wc -l {}'", 'on four engines of its own'),
    handler: async ({
      engines,
      name,
      kind,
      input,
      jobs,
      attempts,
      timeout,
      halt,
      joblog,
      resume,
      results,
      progress,
      json,
      ...rest
    }) => {
      if (what === undefined) throw new UsageError("Which command? tutti farm 'gzip -k {}' ::: *.txt");
      if (items && input !== undefined)
        throw new UsageError('Items come from --input, or follow :::; give one of them');
      if (resume && joblog === undefined) throw new UsageError('--resume goes on where a --joblog ends; name it');
      const script = SCRIPT.test(what) && !/\s/.test(what);
      if (script && !statSync(what, { throwIfNoEntry: false })?.isFile())
        throw new UsageError(`Cannot read the script ${what}; give the path of a .ts or .js file`);
      const run = {
        ...{
          text: what,
          script,
          items,
          input: input === '-' ? undefined : input,
          jobs,
          attempts: attempts ?? 1,
          timeout,
          halt,
        },
        ...{ keepOrder: rest['keep-order'], results, progress, json },
      };
      const log = joblog === undefined ? undefined : new Joblog(joblog, resume);
      if (rest['dry-run']) return rehearse(run, log);
      const stages = interruptionInStages(() => say('Begins nothing new; press Ctrl-C again to end what runs'));
      const [{ openSession }, { runFarm }] = await Promise.all([import('../session.ts'), import('../farm/run.ts')]);
      await using client = await openSession({ engines, name, kind }, stages.stopping, script ? tell : 'ignore');
      const code = await runFarm(client, run, stages, log);
      process.exitCode = stages.stopping.aborted ? INTERRUPTED : code;
    },
  });

/** What a script's function prints is no result. */
const tell: Output = ({ engine, lines }) =>
  void process.stderr.write(prefixed(engine, lines.join('\n'), process.stderr));

function count(option: string): (given: string | string[] | undefined) => number | undefined {
  return (given) => {
    if (given === undefined) return undefined;
    if (Array.isArray(given) || !/^[1-9]\d{0,5}$/.test(given))
      throw new UsageError(`${option} is 1, 2, 3, …; got '${given}'`);
    return Number(given);
  };
}

function seconds(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Array.isArray(given) || !(value > 0))
    throw new UsageError(`--timeout is a number of seconds above 0; got '${given}'`);
  return value * 1_000;
}

function haltOf(given: string | string[] | undefined): Halt | undefined {
  if (given === undefined) return undefined;
  const [, when, on, many] = /^(never|soon|now)(?:,(fail|success|done)(?:=(\d+%?))?)?$/.exec(String(given)) ?? [];
  if (!when) throw new UsageError(`--halt reads like now,fail=1, soon,fail=10% or now,success=1; got '${given}'`);
  const number = many === undefined ? undefined : many.endsWith('%') ? (many as `${number}%`) : Number(many);
  return { when, ...(on && { on }), ...(number !== undefined && { count: number }) } as Halt;
}
