/** A small thread of a process engine: when the launcher is gone, removes what it left behind and ends the process. */
import { readFileSync, rmdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { workerData } from 'node:worker_threads';

const { fd, litter, launcher } = workerData as { fd: number; litter: string[]; launcher: number };

new Socket({ fd, readable: true, writable: false }).resume().on('error', end).on('close', end);

function end(): void {
  for (const item of litter) {
    if (item.endsWith('.json')) removeConnectionFile(item);
    else rmSync(item, { recursive: true, force: true });
  }
  process.kill(process.pid, 'SIGKILL');
}

function removeConnectionFile(file: string): void {
  try {
    // By now another cluster may have taken the name.
    if (JSON.parse(readFileSync(file, 'utf8')).pid !== launcher) return;
    rmSync(file);
    rmdirSync(path.dirname(file)); // when it is empty
  } catch {
    // gone already, or other clusters' files are beside it
  }
}
