/** The half on engines: `space`, `ANY` and `t` for the code that runs there. */
import type { EngineHalf, EngineHost } from '../../core/index.ts';
import { ClientSpace, type Surroundings } from './client-space.ts';
import { ANY, t } from './fields.ts';
import { Link } from './link.ts';
import type { OpenOptions } from './protocol.ts';
import type { TupleSpace } from './types.ts';

/** `space('jobs')` is the space of that name, and `space` itself the one called `default`. */
export type SpaceGlobal = TupleSpace & (<T = any>(name?: string, options?: OpenOptions) => TupleSpace<T>);

export default function makeEngine(host: EngineHost): EngineHalf {
  const link = new Link(host.controller, host);
  const spaces = new Map<string, ClientSpace>();
  const open = (name = 'default', options?: OpenOptions): ClientSpace => {
    if (options) return new ClientSpace(name, link, options, surroundings);
    let space = spaces.get(name);
    if (!space) spaces.set(name, (space = new ClientSpace(name, link, {}, surroundings)));
    return space;
  };
  const whole = open();
  const methods = Object.getOwnPropertyNames(ClientSpace.prototype).filter((name) => name !== 'constructor');
  const bound = methods.map((name) => [name, (...args: unknown[]) => (whole as any)[name](...args)]);
  return {
    answers: (answers) => link.receive(answers),
    globals: { space: Object.assign(open, Object.fromEntries(bound)) as unknown as SpaceGlobal, ANY, t },
  };
}

/** What a task waits for ends with the task. */
function taskSignal(): AbortSignal | undefined {
  return (globalThis as { task?: { signal?: AbortSignal } }).task?.signal;
}

/** What `watch` needs of an observable, without the library: `subscribe`, and what makes one of rxjs out of it (`from`). */
const surroundings: Surroundings = {
  ambient: taskSignal,
  observable(subscribe) {
    const made = {
      subscribe(given: object | ((value: unknown) => void)) {
        const observer: any = typeof given === 'function' ? { next: given } : given;
        let over = false;
        let stop = (): void => {};
        const end = (tell?: () => void): void => {
          if (over) return;
          over = true;
          stop();
          tell?.();
        };
        stop = subscribe({
          next: (value) => void (over || observer.next?.(value)),
          error: (error) => end(() => observer.error?.(error)),
          complete: () => end(() => observer.complete?.()),
        });
        return { unsubscribe: () => end() };
      },
      '@@observable': () => made,
    };
    return made as never;
  },
};
