/** `tutti start`: a named cluster, in the foreground or (`--detach`) on its own. */
import { UsageError } from '../../core/errors.ts';
import { command, cwdOption, enginesOption, jsonOption, kindOption, newNameOption } from '../arguments.ts';
import { launchOf, launchOptions } from '../launch-arguments.ts';
import { printJson } from '../output.ts';
import { askFailed } from '../plugin-failures.ts';
import { serverOf, serverOptions } from '../server-arguments.ts';

export const startCommand = command({
  command: 'start',
  describe: 'Start a cluster that other commands and programs use by its name',
  builder: (y) =>
    y
      .option('engines', {
        ...enginesOption,
        describe: 'How many engines (default: as many as cores, or as hosts have places for)',
      })
      .option('name', newNameOption)
      .option('kind', kindOption)
      .option('detach', {
        type: 'boolean',
        default: false,
        describe: 'Return when it is ready; it goes on until tutti stop',
      })
      .option('cwd', cwdOption)
      .options(launchOptions)
      .options(serverOptions)
      .option('json', jsonOption)
      .example('tutti start -n 4 --detach', 'then: tutti exec, tutti status, tutti stop')
      .example("tutti start --ssh 'host1:4,host2:4'", 'engines on other machines')
      .example('tutti start --adaptive 1-8', 'as many engines as there is work for'),
  handler: async ({ engines, name, kind, detach, cwd, json, ...rest }) => {
    const server = serverOf(rest);
    const { log, plugins, standby } = server;
    if (detach && standby)
      throw new UsageError(
        '--standby waits in the foreground, for as long as another controller is there; leave --detach out',
      );
    if (detach && log && log.file === undefined)
      throw new UsageError('--detach leaves the terminal, so there is nowhere to log to: give --log-file too');
    const options = { name, ...server, ...launchOf(rest, engines), cwd, kind: kind as 'process' | undefined };
    if (!detach) {
      const { serve } = await import('../foreground.ts');
      return serve({ ...options, engines }, { json });
    }
    const { startController } = await import('../../core/client/cluster.ts');
    const started = await startController({ ...options, engines, detached: true });
    const { pid, info, metrics } = started;
    if (plugins?.length) await askFailed(info);
    const { urls, fingerprint } = info;
    if (json) printJson({ name: info.name, pid, engines: started.engines, urls, fingerprint, metrics });
    else
      process.stdout.write(
        `Cluster '${name}' is ready: ${started.engines} engines, pid ${pid}. Stop it: tutti stop --name ${name}\n${metrics ? `  metrics at ${metrics}\n` : ''}`,
      );
  },
});
