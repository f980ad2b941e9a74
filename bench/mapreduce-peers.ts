/** Others that count words, where they are installed: seconds, and what they say. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface Peer {
  readonly seconds: number;
  readonly says: string;
}

const PLAIN = `
import fs from 'node:fs';
const counts = new Map();
const count = (text) => { for (const word of text.split(/\\s+/)) if (word) counts.set(word, (counts.get(word) ?? 0) + 1); };
let rest = '';
for await (const chunk of fs.createReadStream(process.argv[1], { highWaterMark: 1 << 20, encoding: 'utf8' })) {
  const text = rest + chunk;
  const end = text.lastIndexOf('\\n');
  rest = text.slice(end + 1);
  count(text.slice(0, end));
}
count(rest);
let total = 0;
for (const n of counts.values()) total += n;
console.log(counts.size, total);`;

const MULTIPROCESSING = `
import os, sys, multiprocessing
from collections import Counter
def count(job):
    path, start, end = job
    words = Counter()
    with open(path, 'rb') as file:
        if start:
            file.seek(start - 1)
            file.readline()
        while file.tell() < end:
            block = file.readlines(1 << 20)
            if not block: break
            words.update(b''.join(block).split())
    return words
if __name__ == '__main__':
    path = sys.argv[1]
    size, step = os.path.getsize(path), 8 << 20
    words = Counter()
    with multiprocessing.Pool(2) as pool:
        for part in pool.imap_unordered(count, [(path, i, min(i + step, size)) for i in range(0, size, step)]): words.update(part)
    print(len(words), sum(words.values()))`;

const DASK = `
import sys, dask.bag
from dask.distributed import Client, LocalCluster
if __name__ == '__main__':
    client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50))
    words = dask.bag.read_text(sys.argv[1], blocksize='8MiB').map(str.split).flatten().frequencies().compute()
    print(len(words), sum(n for _, n in words))`;

const MAWK = `parallel --will-cite --pipepart -a "$1" --block 8M -j ${availableParallelism()} \
"mawk '{for(i=1;i<=NF;i++)c[\\$i]++}END{for(w in c)print w,c[w]}'" | mawk '{c[$1]+=$2}END{for(w in c){n++;t+=c[w]}print n,t}'`;

/** Undefined: it is not installed. */
export function counted(who: 'node' | 'multiprocessing' | 'dask' | 'mawk', file: string): Peer | undefined {
  const commands: Record<typeof who, [string, string[]]> = {
    node: [process.execPath, ['--input-type=module', '-e', PLAIN, file]],
    multiprocessing: ['python3', ['-c', MULTIPROCESSING, file]],
    dask: ['python3', ['-c', DASK, file]],
    mawk: ['sh', ['-c', MAWK, 'sh', file]],
  };
  const [command, args] = commands[who];
  const began = performance.now();
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 && stdout.trim()
    ? { seconds: (performance.now() - began) / 1e3, says: stdout.trim() }
    : undefined;
}
