/** A thread that waits for a child process is in native code, which nothing stops; but the child can be ended. */
import { readdir, readFile } from 'node:fs/promises';

/** Ends all descendants of this process. Where there is no /proc, none. */
export async function killChildren(): Promise<void> {
  for (const pid of await descendants(String(process.pid))) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it has ended
    }
  }
}

async function descendants(pid: string): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean));
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}
