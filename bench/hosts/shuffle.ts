/** A job whose map outputs lie on the disks of hosts that share none: each has a folder of its own where all have the same path. */
import type { Cluster } from 'tutti';
import { from, type JobSpec, mapReduce } from 'tutti/paradigms';
import { report } from '../measure.ts';
import { PRIVATE } from './namespaced.ts';

const RECORDS = 2_000;
const KEYS = 50;
const SIZE = 5_000;

export async function mapReducePart(client: Cluster): Promise<void> {
  const seen = await client.all.execute(
    `{ const fs = process.getBuiltinModule('node:fs'); fs.writeFileSync('${PRIVATE}/' + engine.id, ''); } 0`,
  );
  const lists: string[][] = await client.all.execute(`process.getBuiltinModule('node:fs').readdirSync('${PRIVATE}')`);
  if (lists.length !== seen.length || lists.some((names) => names.length !== 1))
    throw new Error(`Hosts see each other's files: ${lists[0]}`);
  const job: JobSpec = {
    map: (n: number, ctx) => ctx.emit(n % KEYS, new Uint8Array(SIZE).fill(n % 7)),
    reduce: (_, all: Iterable<Uint8Array>) => [...all].reduce((sum, bytes) => sum + bytes.length + bytes.at(-1)!, 0),
    reducers: Math.min(8, seen.length),
  };
  const input = from(
    Array.from({ length: RECORDS }, (_, i) => i),
    { perSplit: Math.ceil(RECORDS / Math.min(32, 2 * seen.length)) },
  );
  const start = performance.now();
  // In so little memory that outputs go to files.
  const running = client.use(mapReduce).run(job, { input, temp: PRIVATE, memory: 1 << 20 });
  const sums = new Map(await running);
  const wall = performance.now() - start;
  for (let key = 0; key < KEYS; key++) {
    let sum = 0;
    for (let n = key; n < RECORDS; n += KEYS) sum += SIZE + (n % 7);
    if (sums.get(key) !== sum) throw new Error(`MapReduce found ${sums.get(key)} for ${key}, and not ${sum}`);
  }
  const { 'bytes from other engines': shuffled = 0, 'bytes spilled': spilled = 0 } = running.counters.mapreduce!;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  report({
    what: '… a shuffle between hosts that share no files',
    value: `${wall.toFixed(0)} ms, ${mb(spilled)} on disks, ${mb(shuffled)} from host to host, right answer`,
  });
}
