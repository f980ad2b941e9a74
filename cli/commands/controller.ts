/** `tutti controller`: a cluster without engines of its own; they join with `tutti engine`. */
import {
  command,
  durableOption,
  insecureOption,
  jsonOption,
  listenOption,
  logOf,
  logOptions,
  metricsOption,
  newNameOption,
} from '../arguments.ts';

export const controllerCommand = command({
  command: 'controller',
  describe: 'Start a controller that engines join by themselves (tutti engine)',
  builder: (y) =>
    y
      .option('name', newNameOption)
      .option('listen', listenOption)
      .option('insecure', insecureOption)
      .option('durable', durableOption)
      .option('metrics', metricsOption)
      .options(logOptions)
      .option('json', jsonOption),
  handler: async ({ name, listen, insecure, durable, metrics, json, ...rest }) => {
    const { serve } = await import('../foreground.ts');
    return serve({ name, listen, insecure, durable, metrics, log: logOf(rest), engines: 0 }, { json });
  },
});
