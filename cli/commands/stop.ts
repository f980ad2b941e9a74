/** `tutti stop`: ends clusters, whoever started them. */
import { UsageError } from '../../core/errors.ts';
import { command, jsonOption, nameOption } from '../arguments.ts';
import { printJson } from '../output.ts';

export const stopCommand = command({
  command: 'stop',
  describe: 'Stop a cluster and its engines',
  builder: (y) =>
    y
      .option('name', nameOption)
      .option('all', { type: 'boolean', default: false, describe: 'Stop every cluster of this user on this machine' })
      .option('json', jsonOption),
  handler: async ({ name, all, json }) => {
    if (all && name !== undefined) throw new UsageError('--all stops every cluster, --name one; give one of them');
    const [{ stopCluster }, { listClusters }] = await Promise.all([
      import('../stopping.ts'),
      import('../../core/connection-file.ts'),
    ]);
    const stopped: string[] = [];
    for (const one of all ? listClusters().map((info) => info.name) : [name ?? 'default']) {
      stopped.push(await stopCluster(one));
      if (!json) process.stdout.write(`Stopped cluster '${stopped.at(-1)}'\n`);
    }
    if (json) printJson({ stopped });
  },
});
