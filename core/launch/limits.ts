/** What to do about a machine that has no room for another engine. */

const ADVICE: Record<string, string> = {
  EMFILE: 'this process has as many files open as it may (ulimit -n; a process engine takes 4)',
  ENFILE: 'this machine has as many files open as it may',
  EAGAIN: 'this user has as many processes and threads as allowed (ulimit -u)',
  ENOMEM: 'this machine has not enough memory',
  ERR_WORKER_OUT_OF_MEMORY: 'this process has not enough memory',
  ERR_WORKER_INIT_FAILED: 'this process could not start another thread',
};

/** The limit that keeps an engine from starting, in words; undefined when that is not what the error is about. */
export function limitReached(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  const limit = code === undefined ? undefined : ADVICE[code];
  return limit && `${limit}: start fewer engines, or raise the limit (${code})`;
}
