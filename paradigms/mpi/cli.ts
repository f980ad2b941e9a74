import type { Command, CommandTools } from '../../core/index.ts';
export function mpiCommand(tools: CommandTools): Command {
  return {
    command: 'mpi [script]',
    describe: 'x',
    builder: (y: any) => y.options(tools.options),
    handler: async () => {},
  };
}
