/** Commands of the paradigms that come with tutti. They are listed here; the one that is named is loaded, to be run. */
import type { CommandModule } from 'yargs';
import type { AnyDefinition } from '../core/paradigm/paradigm.ts';

interface Listed {
  command: string;
  describe: string;
  load(): Promise<{ readonly definition: AnyDefinition }>;
}

const LISTED: readonly Listed[] = [
  {
    command: 'mapreduce [job]',
    describe: 'Map and reduce files',
    load: async () => (await import('../paradigms/mapreduce/paradigm.ts')).mapReduce,
  },
  {
    command: 'mpi [script]',
    describe: 'Run a script as ranks that send each other messages',
    load: async () => (await import('../paradigms/mpi/mpi.ts')).mpi,
  },
  {
    command: 'space',
    describe: 'Put tuples into a space, take, read and watch them',
    load: async () => (await import('../paradigms/tuplespace/paradigm.ts')).tupleSpace,
  },
];

export async function paradigmCommands(
  named: string | undefined,
  given: { script: string | undefined; rest: readonly string[] },
): Promise<CommandModule[]> {
  return Promise.all(
    LISTED.map(async ({ command, describe, load }): Promise<CommandModule> => {
      if (command.split(' ')[0] !== named) return { command, describe, handler: () => {} };
      const [{ definition }, { toolsOf }] = await Promise.all([load(), import('./command-tools.ts')]);
      return { describe, ...definition.cli!(toolsOf(given)), command } as CommandModule;
    }),
  );
}
