// A job board that survives a crash: its controller is killed, and a new one has all jobs that were acknowledged.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, cluster } from 'tutti';
import { ANY, tupleSpace } from 'tutti/paradigms';

const durable = mkdtempSync(path.join(tmpdir(), 'job-board-'));
const open = (): Promise<Cluster> => cluster({ engines: 0, controller: 'process', durable, log: 'silent' });
type Job = ['job', number] | ['done', number];

const before = await open();
const board = before.use(tupleSpace<Job>, { name: 'board', durable: true });
await Promise.all(Array.from({ length: 1_000 }, (_, i) => board.out(['job', i])));
for (let i = 0; i < 10; i++) {
  const [, n] = await board.take(['job', ANY]);
  await board.out(['done', n]); // resolves when it is on disk
}
process.kill(before.connection.pid!, 'SIGKILL');
await board.take(['job', ANY]).catch((error) => console.log('a taker is told:', error.name));
await before.close().catch(() => {});

const after = await open();
const again = after.use(tupleSpace<Job>, { name: 'board' });
console.log('done:', await again.count(['done', ANY]));
console.log('next:', await again.take(['job', ANY]));
console.log('and after it:', await again.count(['job', ANY]));
await after.close();
rmSync(durable, { recursive: true });

// Prints:
//   a taker is told: SessionLostError
//   done: 10
//   next: [ 'job', 10 ]
//   and after it: 989
