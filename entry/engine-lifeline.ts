/** A small thread of a process engine: when the launcher is gone, removes what it left behind and ends the process. */
import { rmdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { workerData } from 'node:worker_threads';

const { fd, litter } = workerData as { fd: number; litter: string[] };

new Socket({ fd, readable: true, writable: false }).resume().on('error', end).on('close', end);

function end(): void {
  for (const item of litter) {
    rmSync(item, { recursive: true, force: true });
    try {
      if (item.endsWith('.json')) rmdirSync(path.dirname(item)); // the folder of connection files, when it is empty
    } catch {
      // other clusters' files are there
    }
  }
  process.kill(process.pid, 'SIGKILL');
}
