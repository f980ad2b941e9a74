/** `tutti start`: a named cluster, in the foreground or (`--detach`) on its own. */
import { availableParallelism } from 'node:os';
import {
  command,
  cwdOption,
  enginesOption,
  insecureOption,
  jsonOption,
  kindOption,
  listenOption,
  newNameOption,
  pluginOption,
} from '../arguments.ts';
import { printJson } from '../output.ts';
import { askFailed } from '../plugin-failures.ts';

export const startCommand = command({
  command: 'start',
  describe: 'Start a cluster that other commands and programs use by its name',
  builder: (y) =>
    y
      .option('engines', { ...enginesOption, describe: 'How many engines (default: as many as cores)' })
      .option('name', newNameOption)
      .option('kind', kindOption)
      .option('listen', listenOption)
      .option('detach', {
        type: 'boolean',
        default: false,
        describe: 'Return when it is ready; it goes on until tutti stop',
      })
      .option('plugin', pluginOption)
      .option('insecure', insecureOption)
      .option('cwd', cwdOption)
      .option('json', jsonOption)
      .example('tutti start -n 4 --detach', 'then: tutti exec, tutti status, tutti stop'),
  handler: async ({
    engines = availableParallelism(),
    name,
    kind,
    listen,
    detach,
    plugin = [],
    insecure,
    cwd,
    json,
  }) => {
    const options = { name, listen, plugins: plugin, insecure, cwd, kind: kind as 'process' | undefined };
    if (!detach) {
      const { serve } = await import('../foreground.ts');
      return serve({ ...options, engines }, { json });
    }
    const { startController } = await import('../../core/client/cluster.ts');
    const { pid, info } = await startController({ ...options, engines, detached: true });
    if (plugin.length) await askFailed(info);
    if (json) printJson({ name: info.name, pid, engines, urls: info.urls });
    else
      process.stdout.write(
        `Cluster '${name}' is ready: ${engines} engines, pid ${pid}. Stop it: tutti stop --name ${name}\n`,
      );
  },
});
