/** `tutti controller`: a cluster without engines of its own; they join with `tutti engine`. */
import { command, insecureOption, jsonOption, listenOption, newNameOption, pluginOption } from '../arguments.ts';

export const controllerCommand = command({
  command: 'controller',
  describe: 'Start a controller that engines join by themselves (tutti engine)',
  builder: (y) =>
    y
      .option('name', newNameOption)
      .option('listen', listenOption)
      .option('plugin', pluginOption)
      .option('insecure', insecureOption)
      .option('json', jsonOption),
  handler: async ({ name, listen, plugin, insecure, json }) => {
    const { serve } = await import('../foreground.ts');
    return serve({ name, listen, plugins: plugin, insecure, engines: 0 }, { json });
  },
});
