/** What people use instead, measured in the same run: Node's own child processes and workers, and a popular worker pool. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

const echo = (receive: string, send: string): string =>
  `${receive}((m) => ${send}(typeof m === 'number' ? m : m.byteLength));`;

export interface Peer {
  /** One message to each, one small answer from each. */
  round(message: unknown): Promise<void>;
  /** To the first alone, giving the memory away where that is possible. */
  give?(message: ArrayBufferView<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

/** `child_process.fork` with structured clone (`serialization: 'advanced'`). */
export async function forked(n: number): Promise<Peer> {
  const file = path.join(tmpdir(), `tutti-bench-${process.pid}.cjs`);
  writeFileSync(file, echo("const on = (f) => process.on('message', f); on", 'process.send'));
  const children = Array.from({ length: n }, () => fork(file, [], { serialization: 'advanced', execArgv: [] }));
  const ask = (child: ChildProcess, message: unknown): Promise<void> =>
    new Promise((resolve) => {
      child.once('message', () => resolve());
      child.send(message as object);
    });
  await Promise.all(children.map((child) => ask(child, 0)));
  return {
    round: async (message) => void (await Promise.all(children.map((child) => ask(child, message)))),
    async close() {
      await Promise.all(
        children.map((child) => new Promise((resolve) => child.once('exit', resolve) && child.disconnect())),
      );
      rmSync(file);
    },
  };
}

/** `worker_threads` and `postMessage`. */
export async function workers(n: number): Promise<Peer> {
  const code = echo(
    "const { parentPort: p } = require('node:worker_threads'); const on = (f) => p.on('message', f); on",
    'p.postMessage',
  );
  const all = Array.from({ length: n }, () => new Worker(code, { eval: true }));
  const ask = (worker: Worker, message: unknown, transfer: ArrayBuffer[] = []): Promise<void> =>
    new Promise((resolve) => {
      worker.once('message', () => resolve());
      worker.postMessage(message, transfer);
    });
  await Promise.all(all.map((worker) => ask(worker, 0)));
  return {
    round: async (message) => void (await Promise.all(all.map((worker) => ask(worker, message)))),
    give: (message) => ask(all[0]!, message, [message.buffer]),
    close: async () => void (await Promise.all(all.map((worker) => worker.terminate()))),
  };
}

/** MB that a worker thread takes of a process, whatever it does. */
export async function emptyThread(): Promise<number> {
  const code = `const { Worker } = require('node:worker_threads');
    setTimeout(() => {
      const before = process.memoryUsage.rss();
      new Worker('setInterval(() => {}, 1e6)', { eval: true }).once('online', () =>
        setTimeout(() => { console.log((process.memoryUsage.rss() - before) / 1e6); process.exit(); }, 300));
    }, 300);`;
  return Number(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }));
}
