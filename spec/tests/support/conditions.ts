/** Waiting for what a test needs to have happened. The test's own timeout bounds it. */

import type { Observable } from 'rxjs';
import type { Client, ClusterEvent } from 'tutti';

/** The first value of an observable that passes the test. */
export function first<T>(source: Observable<T>, wanted: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const subscription = source.subscribe({
      next: (value) => {
        if (!wanted(value)) return;
        resolve(value);
        queueMicrotask(() => subscription.unsubscribe());
      },
      error: reject,
      complete: () => reject(new Error('It ended without the value that the test waits for')),
    });
  });
}

/** Everything that one engine's output says outside of calls, until it matches. */
export async function lateOutput(client: Client, stream: 'stdout' | 'stderr', wanted: RegExp): Promise<string> {
  let text = '';
  await first(client.events$, (event: ClusterEvent) => {
    if (event.type === 'output' && event.stream === stream) text += event.text;
    return wanted.test(text);
  });
  return text;
}

/** Code that is run by a timer of its call, but only once `told` is set: when the call is known to have ended. Gives 'at once'. */
export function onceTold(code: string): string {
  return `{ const timer = setInterval(() => { if (globalThis.told) { clearInterval(timer); ${code} } }, 1) } 'at once'`;
}

/** All values of an observable that ends. */
export function all<T>(source: Observable<T>): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const values: T[] = [];
    source.subscribe({ next: (value) => values.push(value), error: reject, complete: () => resolve(values) });
  });
}

/** Asks again and again until the answer is what the test waits for. */
export async function until<T>(ask: () => T | Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
