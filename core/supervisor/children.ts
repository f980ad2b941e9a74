/** A thread that waits for a child process is in native code, which nothing stops; but the child can be ended. */
import { readdir, readFile } from 'node:fs/promises';

/** Ends all descendants of this process, or of one thread of it (by the system's number). Where there is no /proc, none. */
export async function killChildren(thread?: number): Promise<void> {
  const own = String(process.pid);
  for (const pid of await (thread ? childrenOf(own, [String(thread)]) : descendants(own))) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it has ended
    }
  }
}

async function descendants(pid: string): Promise<string[]> {
  return childrenOf(pid, await readdir(`/proc/${pid}/task`).catch(() => []));
}

async function childrenOf(pid: string, threads: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean));
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}
