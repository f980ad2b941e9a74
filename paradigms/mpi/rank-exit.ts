/** `process.exit` in the code of a rank ends the rank, not the engine: engines have more to do. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What is thrown there, so that the code goes no further. */
export class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`process.exit(${exitCode}) ends the rank`);
    this.exitCode = exitCode;
  }
}

const scopes = new AsyncLocalStorage<(exit: Exit) => void>();

/** Once for each engine. */
export function tameExit(): void {
  const exit = process.exit;
  process.exit = ((code?: number | string | null) => {
    const scope = scopes.getStore();
    if (!scope) return exit(code);
    const tamed = new Exit(Number(code ?? process.exitCode ?? 0));
    scope(tamed);
    throw tamed;
  }) as typeof process.exit;
}

/** What code gives, or the exit that it called, in whatever callback of it. */
export function untilExit<T>(code: () => T | PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    scopes.run(reject, () => {
      // What comes after an exit is of no interest to anybody, and yet heard.
      new Promise<T>((done) => done(code())).then(resolve, reject);
    });
  });
}
