/** Engines in network namespaces: each on a host of its own, as far as it can see. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineExit, EngineSpec, Launcher } from 'tutti';
import { programUrl } from '../../core/launch/programs.ts';

/** fd 3 of an engine: its orders come from there, and its end ends it. */
const LIFELINE = 3;

export function namespaceLauncher(namespaces: readonly string[]): Launcher {
  const program = fileURLToPath(programUrl('engine-process.mjs'));
  return {
    kind: 'host',
    scheme: 'network',
    places: namespaces.length,
    launch(spec: EngineSpec) {
      const namespace = namespaces[spec.id % namespaces.length]!;
      const name = `host${spec.id % namespaces.length}`;
      const run = `hostname ${name} && exec "$0" --disable-warning=ExperimentalWarning "$1"`;
      const child = spawn(
        'ip',
        ['netns', 'exec', namespace, 'unshare', '--uts', 'sh', '-c', run, process.execPath, program],
        {
          cwd: spec.cwd,
          stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        },
      );
      const lifeline = child.stdio[LIFELINE] as NodeJS.WritableStream;
      lifeline.on('error', () => {});
      lifeline.write(`${JSON.stringify({ ...spec, kind: 'host' })}\n`);
      const exited = new Promise<EngineExit>((resolve) => {
        child.once('error', (error) => resolve({ exitCode: null, signal: null, error }));
        child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
      });
      return {
        pid: child.pid ?? 0,
        host: name,
        exited,
        onOutput(listener) {
          child.stdout?.setEncoding('utf8').on('data', (text: string) => listener('stdout', text));
          child.stderr?.setEncoding('utf8').on('data', (text: string) => listener('stderr', text));
        },
        kill: () => void child.kill('SIGKILL'),
      };
    },
  };
}
