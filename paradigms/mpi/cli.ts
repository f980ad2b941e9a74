/** `tutti mpi -n 4 main.ts [arguments]`: what mpiexec is to programs in C. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type AsyncResult,
  type Client,
  type Command,
  type CommandTools,
  CompositeError,
  remote,
  UsageError,
} from '../../core/index.ts';
import { type HostArguments, hostOptions, hostsOf } from './host-arguments.ts';
import { mpi } from './mpi.ts';

/** ms that the other ranks have to end by themselves after one has failed. */
const GRACE = 1_000;

interface Arguments extends HostArguments {
  ranks?: string | undefined;
  json: boolean;
}

export function mpiCommand(tools: CommandTools): Command {
  return {
    command: 'mpi [script]',
    describe: 'Run a script as ranks that send each other messages',
    builder: (yargs: any) =>
      yargs
        .usage(
          'tutti mpi [options] main.ts [arguments of main …]\n\nCalls the default export of a script, main(comm, …arguments), on so many engines at once. ' +
            'Each line that a rank prints gets `[rank] ` before it.\nWhen a rank fails, all end; the exit code is its own ' +
            '(process.exit, comm.abort), or 1 if it threw.',
        )
        .positional('script', { type: 'string', describe: 'A .ts or .js file; what follows is its own' })
        .options(tools.options)
        .option('ranks', {
          type: 'string',
          requiresArg: true,
          describe: 'How many ranks, where the cluster has more engines (default: all)',
        })
        .options(hostOptions)
        .example('tutti mpi -n 8 --hostfile hosts main.ts', 'ranks on other machines')
        .example('tutti mpi -n 4 --kind thread heat.ts 200', 'four ranks that share memory; main(comm, "200")')
        .example('tutti mpi --name site --ranks 8 main.ts', 'eight ranks on engines of a cluster that runs'),
    handler: (args: Arguments) => run(tools, args),
  };
}

async function run(tools: CommandTools, args: Arguments): Promise<void> {
  const { script, rest = [] } = tools.given ?? { script: undefined };
  if (args.engines === 0) throw new UsageError('-n 0: a run has 1 rank or more');
  const ranks = args.ranks === undefined ? undefined : Number(args.ranks);
  const file = await mainIn(script);
  const { json } = args;
  await tools.session({ ...args, ...hostsOf(args) }, async (client, signal) => {
    // A cluster of this command's own may have been started without -n.
    const main = remote<(...all: any[]) => unknown>(pathToFileURL(file), 'default');
    let worlds = 0;
    const spawned: { finish(): void }[] = [];
    const result = client.use(mpi).run(main, {
      args: [...rest],
      onSpawn(children) {
        const world = ++worlds;
        const nameOf = (engine: number): string => `${world}:${children.targets.indexOf(engine)}`;
        spawned.push(tools.follow(client, children, { json, nameOf, only: true }));
      },
      signal,
      label: `mpi ${path.basename(file)}`,
      ...(ranks !== undefined && { ranks }),
    });
    const rankOf = (engine: number): number => result.targets.indexOf(engine);
    const output = tools.follow(client, result, { json, nameOf: rankOf });
    const failures = await outcome(result);
    for (const one of [output, ...spawned]) one.finish();
    signal.throwIfAborted();
    if (failures.length) end(failures, rankOf, client);
    else if (json) tools.printJson((await result).map((value) => value ?? null));
  });
}

/** The path of a script with a default export. */
async function mainIn(script: string | undefined): Promise<string> {
  if (script === undefined) throw new UsageError('Which script? tutti mpi -n 4 main.ts');
  if (!statSync(script, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`Cannot read the script ${script}; give the path of a .ts or .js file`);
  const file = path.resolve(script);
  const { build } = await import('esbuild');
  const { metafile } = await build({
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    outdir: '.',
  }).catch((error: Error) => {
    throw new UsageError(`${script}: ${error.message}`);
  });
  if (Object.values(metafile.outputs).some(({ exports }) => exports.includes('default'))) return file;
  throw new UsageError(
    `${script} has no default export; a script of ranks has: export default async function main(comm, …args)`,
  );
}

/** Errors of ranks, when all have ended. Once one has failed, the others do not have for ever. */
async function outcome(result: AsyncResult<any[], any>): Promise<Error[]> {
  const failures: Error[] = [];
  let late: NodeJS.Timeout | undefined;
  let last: NodeJS.Timeout | undefined;
  for await (const part of result) {
    if (part.status === 'fulfilled') continue;
    failures.push(part.reason);
    late ??= setTimeout(() => {
      // The cluster may end meanwhile.
      result.cancel('another rank has failed').catch(() => {});
      last = setTimeout(() => void result.interrupt().catch(() => {}), GRACE);
    }, GRACE);
  }
  clearTimeout(late);
  clearTimeout(last);
  return failures;
}

/** Those that say why come before those that say that somebody is gone. */
function end(failures: Error[], rankOf: (engine: number) => number, client: Client): void {
  const consequence = ({ name }: Error): number => Number(name === 'RankLostError' || name === 'CancelledError');
  const place = (error: Error & { engine?: number }): number => rankOf(error.engine ?? -1);
  failures.sort((a, b) => consequence(a) - consequence(b) || place(a) - place(b));
  const [first] = failures as [Error & { engine?: number; exitCode?: number | null; code?: string }];
  if (['MPI_EXIT', 'MPI_ABORTED'].includes((first as { original?: { code?: string } }).original?.code ?? '')) {
    process.stderr.write(`tutti: ${first.message}\n`);
    process.exitCode = first.exitCode ?? 1;
    return;
  }
  for (const failure of failures as (Error & { engine?: number })[])
    if (failure.engine !== undefined) Object.defineProperty(failure, 'engine', { value: rankOf(failure.engine) });
  throw failures.length === 1 ? first : new CompositeError(failures, client.engines.length);
}
