/** `tutti list`: the clusters of this user that run. */
import { command, jsonOption } from '../arguments.ts';
import { printJson, table } from '../output.ts';

export const listCommand = command({
  command: 'list',
  describe: 'List the clusters that run',
  builder: (y) => y.option('json', jsonOption),
  handler: async ({ json }) => {
    const { connectionFile, listClusters } = await import('../../core/connection-file.ts');
    // Field by field: a connection record holds secrets.
    const clusters = listClusters().map(({ name, pid, host, urls }) => ({
      name,
      pid,
      host,
      urls,
      file: connectionFile(name),
    }));
    if (json) return printJson(clusters);
    const rows = clusters.map(({ name, pid, host, urls }) => [name, pid ?? '', host ?? '', urls.join(' ')]);
    process.stdout.write(rows.length ? table(['name', 'pid', 'host', 'listens on'], rows) : 'No cluster is running\n');
  },
});
