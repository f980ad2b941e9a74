/** Commands of the paradigms that are built in. The one that is named is loaded; of the others only their line in the help is known. */
import type { CommandModule } from 'yargs';
import type { ParadigmFactory } from '../core/index.ts';

interface BuiltIn {
  readonly describe: string;
  load(): Promise<ParadigmFactory<any, any[]>>;
}

const builtIn: Record<string, BuiltIn> = {
  space: {
    describe: 'Put tuples into a space, take, read and watch them',
    load: async () => (await import('../paradigms/index.ts')).tupleSpace,
  },
};

export const paradigmCommandNames = Object.keys(builtIn);

export function paradigmCommands(named: string | undefined): Promise<CommandModule[]> {
  return Promise.all(
    Object.entries(builtIn).map(async ([command, { describe, load }]): Promise<CommandModule> => {
      if (named !== command) return { command, describe, handler: () => {} };
      const { toolsOf } = await import('./command-tools.ts');
      const { definition } = await load();
      return definition.cli!(toolsOf()) as CommandModule;
    }),
  );
}
