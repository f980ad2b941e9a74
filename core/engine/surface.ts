/** What user code finds on an engine: the globals `engine` and `task`, and a tamed `process.exit` for scripts. */
import { hostname } from 'node:os';
import { type EngineSelf, engine, task } from './inside.ts';
import { currentJob, type Task } from './job.ts';

/** Thrown by `process.exit` inside a script: ends the script, not the engine. */
export class ScriptExit {
  readonly exitCode: number;
  constructor(exitCode: number) {
    this.exitCode = exitCode;
  }
}

const inside = { engine, task };

/** Comes before the namespace, which takes these globals for built-in ones; it is filled in afterwards, like the id. */
export function exposeSurface(): { -readonly [K in keyof EngineSelf]: EngineSelf[K] } {
  const self: EngineSelf = { id: -1, size: 1, host: hostname(), namespace: {} };
  const getters: Record<string, () => unknown> = {
    engine: () => self,
    task: (): Task | undefined => currentJob.getStore()?.task,
  };
  for (const [name, get] of Object.entries(getters)) {
    // Assignable, since a console user may call a variable of his own `task`.
    const set = (value: unknown): void => {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
    };
    Object.defineProperty(globalThis, name, { get, set, configurable: true, enumerable: false });
    Object.defineProperty(globalThis, Symbol.for(`tutti.${name}`), { get });
  }
  Object.defineProperty(globalThis, Symbol.for('tutti.inside'), { value: inside });
  const exit = process.exit.bind(process);
  process.exit = (code?: number | string | null): never => {
    if (currentJob.getStore()?.op === 'run') throw new ScriptExit(Number(code ?? process.exitCode ?? 0));
    return exit(code);
  };
  return self;
}
