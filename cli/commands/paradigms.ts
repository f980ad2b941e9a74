/** `tutti paradigms`: what is built in, what the working directory's package brings, and what a cluster runs. */
import type { ClusterParadigms } from '../../core/cluster-info.ts';
import { command, jsonOption, nameOption } from '../arguments.ts';
import { printJson, table } from '../output.ts';

export const paradigmsCommand = command({
  command: 'paradigms',
  describe: 'List the paradigms that there are here, or in a cluster',
  builder: (y) =>
    y
      .option('name', { ...nameOption, describe: 'Also what this cluster has, and what it could not load' })
      .option('json', jsonOption),
  handler: async ({ name, json }) => {
    const here = [...(await builtIn()), ...(await discovered())];
    const cluster = name === undefined ? undefined : await askCluster(name);
    if (json) {
      printJson({ paradigms: here, ...(cluster && { cluster }) });
      return;
    }
    const rows = here.map(({ command, version, package: from, where }) => [command, version, from, where]);
    process.stdout.write(
      rows.length ? table(['command', 'version', 'package', 'where'], rows) : 'No paradigms are here\n',
    );
    if (cluster) process.stdout.write(`\n${describe(cluster)}`);
  },
});

interface Row {
  command: string;
  version: string;
  package: string;
  where: string;
}

async function builtIn(): Promise<Row[]> {
  const [{ paradigmsIn }, namespace] = await Promise.all([
    import('../../core/paradigm/paradigm.ts'),
    import('../../paradigms/index.ts'),
  ]);
  return paradigmsIn(namespace).map(({ name, version }) => ({
    command: name,
    version,
    package: 'tutti',
    where: 'built in',
  }));
}

async function discovered(): Promise<Row[]> {
  const { discover } = await import('../plugins.ts');
  return discover();
}

async function askCluster(name: string): Promise<ClusterParadigms & { name: string }> {
  const { attach } = await import('../session.ts');
  await using client = await attach(name);
  return { name: client.name, ...(await client.paradigms()) };
}

function describe({ name, paradigms, failed }: ClusterParadigms & { name: string }): string {
  const rows = paradigms.map((paradigm) => [
    paradigm.name,
    paradigm.version,
    paradigm.use ? 'in use' : 'not used yet',
    paradigm.module ?? '',
  ]);
  const there = rows.length
    ? table([`in cluster '${name}'`, 'version', '', 'from'], rows)
    : `Cluster '${name}' has no paradigms\n`;
  return there + failed.map(({ reason }) => `Failed: ${reason}\n`).join('');
}
