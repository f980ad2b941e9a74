/** `tutti status`: a cluster and its engines. */
import { command, jsonOption, nameOption } from '../arguments.ts';
import { printJson, table } from '../output.ts';

const HEADER = ['id', 'state', 'kind', 'pid', 'host', 'memory MB', 'incarnation', 'cwd'];

export const statusCommand = command({
  command: 'status',
  describe: 'Show a cluster and its engines',
  builder: (y) => y.option('name', nameOption).option('json', jsonOption),
  handler: async ({ name, json }) => {
    const { attach } = await import('../session.ts');
    await using client = await attach(name);
    const all = await client.status();
    const status = { ...all, clients: all.clients - 1 }; // without this command
    if (json) return printJson(status);
    const { pid, host, uptime, clients, engines } = status;
    const rows = engines.map((e) => [
      e.id,
      e.state,
      e.kind,
      e.pid,
      e.host,
      Math.round(e.memory / 1e6),
      e.incarnation,
      e.cwd,
    ]);
    process.stdout.write(
      `Cluster '${status.name}': controller pid ${pid} on ${host}, up ${duration(uptime)}, clients: ${clients}, engines: ${engines.length}\n` +
        (rows.length ? table(HEADER, rows) : ''),
    );
  },
});

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const units = {
    d: Math.floor(seconds / 86_400),
    h: Math.floor(seconds / 3_600) % 24,
    min: Math.floor(seconds / 60) % 60,
  };
  const larger = Object.entries(units).flatMap(([unit, n]) => (n ? [`${n} ${unit}`] : []));
  return [...larger, `${seconds % 60} s`].slice(0, 2).join(' ');
}
