/** When the launcher of a process engine is gone: removes what it left behind, and ends the process. */
import { readFileSync, rmdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';

export interface Lifeline {
  fd: number;
  litter: string[];
  /** Its pid. */
  launcher: number;
}

export function watchLifeline({ fd, litter, launcher }: Lifeline): void {
  const end = (): void => {
    for (const item of litter) {
      if (item.endsWith('.json')) removeConnectionFile(item, launcher);
      else rmSync(item, { recursive: true, force: true });
    }
    process.kill(process.pid, 'SIGKILL');
  };
  new Socket({ fd, readable: true, writable: false }).resume().on('error', end).on('close', end);
}

function removeConnectionFile(file: string, launcher: number): void {
  try {
    // By now another cluster may have taken the name.
    if (JSON.parse(readFileSync(file, 'utf8')).pid !== launcher) return;
    rmSync(file);
    rmdirSync(path.dirname(file)); // when it is empty
  } catch {
    // gone already, or other clusters' files are beside it
  }
}
