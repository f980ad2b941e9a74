/** One job on an engine: a command in a shell, and what came of it. It travels as a function, so it stands alone. */
export interface JobResult {
  exit: number;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** ms since the epoch, and ms. */
  started: number;
  ran: number;
}

/** Text beyond this is left out of each stream. Characters. */
export const MOST_OUTPUT = 16 << 20;

export async function runShell({
  command,
  cwd,
  most,
}: {
  command: string;
  cwd: string;
  most: number;
}): Promise<JobResult> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const { signal } = (globalThis as unknown as { task: { signal: AbortSignal } }).task;
  const started = Date.now();
  return new Promise((resolve, reject) => {
    // A group of its own: what it has started ends with it.
    const child = spawn('/bin/sh', ['-c', command], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text: string) => {
        if (texts[name].length < most) texts[name] += text;
      });
    }
    const kill = (how: 'SIGTERM' | 'SIGKILL'): void => {
      try {
        process.kill(-child.pid!, how);
      } catch {
        // it has ended
      }
    };
    const stop = (): void => {
      kill('SIGTERM');
      setTimeout(() => kill('SIGKILL'), 200).unref();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    // Nor does it outlive its engine.
    const end = (): void => kill('SIGKILL');
    process.on('exit', end);
    child.on('error', reject);
    child.on('close', (code, how) => {
      signal.removeEventListener('abort', stop);
      process.off('exit', end);
      resolve({ exit: code ?? -1, signal: how, ...texts, started, ran: Date.now() - started });
    });
  });
}
