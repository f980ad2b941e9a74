/** The same hosts at the far end of slow links: the kernel's own delay where it has that (netem), else a relay for each engine. */
import { type Cluster, cluster } from 'tutti';
import { mpi, taskFarm } from 'tutti/paradigms';
import { latency, ms, report } from '../measure.ts';
import { namespaceLauncher } from './launcher.ts';
import { canDelay, delayLinks } from './network.ts';
import { type SlowLink, slowLink } from './slow-link.ts';

const DELAY = 50;
const JITTER = 20;
const ADDRESS = '10.77.0.1';
const LISTEN = `tls://${ADDRESS}:7778`;
const TASKS = 20;

/** @param hosts namespaces: the first ones of the network whose hub that is */
export async function delayedPart(hosts: readonly string[], hub: string): Promise<void> {
  const links: SlowLink[] = [];
  const own = canDelay();
  if (own) delayLinks(hosts, hub, DELAY, JITTER);
  else
    for (const _ of hosts)
      links.push(await slowLink(() => LISTEN.replace('tls', 'tcp'), { delay: DELAY, jitter: JITTER, host: ADDRESS }));
  const urlsFor = (host: number, urls: string[]): string[] => (own ? urls : [links[host]!.url.replace('tcp', 'tls')]);
  const client = await cluster({
    launcher: namespaceLauncher(hosts, urlsFor),
    listen: [LISTEN],
    log: 'error',
    output: 'ignore',
  });
  let lost = 0;
  client.events$.subscribe(({ type }) => {
    if (type === 'engine-lost') lost++;
  });
  try {
    const ids = await client.all.execute('engine.id');
    if (ids.some((id, i) => id !== i)) throw new Error(`Execute on all returned ${ids}`);
    const l = await latency(10, () => client.all.execute('engine.id'), 1);
    const items = Array.from({ length: hosts.length * TASKS }, (_, i) => i);
    const start = performance.now();
    const values = await client.use(taskFarm).map(items, async (i: number) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return i * i;
    });
    const efficiency = (TASKS * 100) / (performance.now() - start);
    if (values.some((value, i) => value !== i * i)) throw new Error('A task was lost, or is wrong');
    // By way of a relay engines are where that is, for others, and not where they can be reached.
    if (own) await ranks(client, hosts.length);
    if (lost) throw new Error(`${lost} engines were given up`);
    report({
      what: `… ${hosts.length} hosts at links of ${DELAY} to ${DELAY + JITTER} ms each way (${own ? 'netem' : 'relays'})`,
      value: `execute on all ${ms(l)}, tasks of 0.1 s ${(efficiency * 100).toFixed(1)} %, nobody given up`,
    });
  } finally {
    await client.close();
    for (const link of links) await link.close();
  }
}

async function ranks(client: Cluster, count: number): Promise<void> {
  const sums = await client.use(mpi).run(async (comm) => comm.allreduce(comm.rank), { ranks: count });
  if (sums.some((sum: unknown) => sum !== (count * (count - 1)) / 2)) throw new Error(`Ranks found ${sums}`);
}
