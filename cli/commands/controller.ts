/** `tutti controller`: a cluster without engines of its own; they join with `tutti engine`. */
import {
  command,
  insecureOption,
  jsonOption,
  listenOption,
  logOf,
  logOptions,
  metricsOption,
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
      .option('metrics', metricsOption)
      .options(logOptions)
      .option('json', jsonOption),
  handler: async ({ name, listen, origin, insecure, metrics, json, ...rest }) => {
    const { serve } = await import('../foreground.ts');
    const options = { name, listen, origins: origin, tls: tlsOf(rest), insecure, metrics, log: logOf(rest) };
    return serve({ ...options, engines: 0 }, { json });
  },
});
