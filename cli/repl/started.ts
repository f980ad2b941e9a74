/** What this console has started on the engines, from statements and from functions of its user's alike. */
import type { AsyncResult } from '../../core/client/async-result.ts';
import type { ConsoleClient } from './connection.ts';

export class Started {
  readonly pending = new Set<AsyncResult<any>>();
  /** Is told of each, when it begins. */
  onStart: ((result: AsyncResult<any>) => void) | undefined;
  last: AsyncResult<any> | undefined;
  #aside = false;

  follow({ link }: ConsoleClient): void {
    link.made = (result) => {
      if (this.#aside) return;
      this.last = result;
      if (!result.call.pending) return;
      this.pending.add(result);
      result.call.whenDone(() => this.pending.delete(result));
      this.onStart?.(result);
    };
  }

  /** What is asked for in between, by the console itself, is nobody's result. */
  aside<T>(ask: () => T): T {
    this.#aside = true;
    try {
      return ask();
    } finally {
      this.#aside = false;
    }
  }
}
