/** `tutti controller`: a cluster without engines of its own; they join with `tutti engine`. */
import {
  command,
  insecureOption,
  jsonOption,
  listenOption,
  newNameOption,
  originOption,
  tlsOf,
  tlsOptions,
} from '../arguments.ts';

export const controllerCommand = command({
  command: 'controller',
  describe: 'Start a controller that engines join by themselves (tutti engine)',
  builder: (y) =>
    y
      .option('name', newNameOption)
      .option('listen', listenOption)
      .option('origin', originOption)
      .options(tlsOptions)
      .option('insecure', insecureOption)
      .option('json', jsonOption),
  handler: async ({ name, listen, origin, insecure, json, ...files }) => {
    const { serve } = await import('../foreground.ts');
    return serve({ name, listen, origins: origin, tls: tlsOf(files), insecure, engines: 0 }, { json });
  },
});
