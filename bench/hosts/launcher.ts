/** Engines in network namespaces. */
import { fileURLToPath } from 'node:url';
import type { EngineExit, EngineSpec, Launcher } from 'tutti';
import { NODE_FLAGS } from '../../core/launch/process.ts';
import { programUrl } from '../../core/launch/programs.ts';
import { spawnIn } from './namespaced.ts';

/** fd 3 of an engine: its orders come from there, and its end ends it. */
const LIFELINE = 3;

/** @param urlsFor where the engine on that host dials in place of the controller's own addresses */
export function namespaceLauncher(
  namespaces: readonly string[],
  urlsFor: (host: number, urls: string[]) => string[] = (_, urls) => urls,
): Launcher {
  const program = fileURLToPath(programUrl('engine-process.mjs'));
  return {
    kind: 'host',
    scheme: 'network',
    places: namespaces.length,
    launch(spec: EngineSpec) {
      const host = spec.id % namespaces.length;
      const name = `host${host}`;
      const child = spawnIn(namespaces[host]!, name, [...NODE_FLAGS, program], {
        cwd: spec.cwd,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      });
      const lifeline = child.stdio[LIFELINE] as NodeJS.WritableStream;
      lifeline.on('error', () => {});
      lifeline.write(`${JSON.stringify({ ...spec, urls: urlsFor(host, spec.urls), kind: 'host' })}\n`);
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
