/** `tutti controller`: a cluster without engines of its own; they join with `tutti engine`. */
import { command, jsonOption, newNameOption } from '../arguments.ts';
import { serverOf, serverOptions } from '../server-arguments.ts';

export const controllerCommand = command({
  command: 'controller',
  describe: 'Start a controller that engines join by themselves (tutti engine)',
  builder: (y) => y.option('name', newNameOption).options(serverOptions).option('json', jsonOption),
  handler: async ({ name, json, ...rest }) => {
    const { serve } = await import('../foreground.ts');
    return serve({ name, ...serverOf(rest), engines: 0 }, { json });
  },
});
