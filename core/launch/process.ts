/**
 * Engines as child processes of this one. fd 3 is the engine's lifeline: it carries the boot record, and its end tells
 * the engine that its launcher is gone.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { EngineBoot, EngineExit, EngineHandle, Launcher } from './launcher.ts';
import { withoutTokens } from './launcher.ts';
import { programUrl } from './programs.ts';

/** ms that an ended engine's last output may take. */
const LAST_OUTPUT = 200;

/**
 * Most of the time that large messages take is spent on page faults of fresh memory. With huge pages there are 512 times
 * fewer: a copy of 64 MiB takes 8 ms instead of 40. Only glibc listens to it.
 */
export const HUGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/**
 * Without a warning for what is used all the time. And V8 would collect garbage several times in an engine that has just begun, which
 * takes a quarter of the time that its start takes, and frees little: what is worth it is collected by `core/engine/rest.ts`.
 */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--no-memory-reducer'];

export function processLauncher(options: { execArgv?: string[]; kind?: string } = {}): Launcher {
  const { execArgv = [], kind = 'process' } = options;
  return { kind, scheme: 'unix', launch: (spec) => launch({ ...spec, kind }, execArgv) };
}

function launch(spec: EngineBoot, execArgv: string[]): EngineHandle {
  const program = fileURLToPath(programUrl('engine-process.mjs'));
  const child = spawn(process.execPath, [...NODE_FLAGS, ...execArgv, program], {
    cwd: spec.cwd,
    env: { ...HUGE_PAGES, ...withoutTokens(process.env), ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  // Where the machine has no room for it there are no pipes either: `exited` tells, as it does when the engine is gone.
  const lifeline = child.stdio?.[3] as Writable | undefined;
  lifeline?.on('error', () => {});
  lifeline?.write(`${JSON.stringify(spec)}\n`);
  const exited = new Promise<EngineExit>((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: null, error }));
    // By 'close' its last output has been read; a grandchild that holds the pipes must not keep us from telling, though.
    child.once('exit', (exitCode, signal) => {
      const timer = setTimeout(() => resolve({ exitCode, signal }), LAST_OUTPUT);
      child.once('close', () => {
        clearTimeout(timer);
        resolve({ exitCode, signal });
      });
    });
  });
  return {
    pid: child.pid ?? -1,
    exited,
    onOutput(listener) {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => listener('stdout', text));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => listener('stderr', text));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
