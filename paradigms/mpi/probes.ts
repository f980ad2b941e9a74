/** Those who wait for a message without a place for it. */
import type { Matching } from './matching.ts';
import { Request } from './request.ts';
import type { Message } from './transfer.ts';

export interface Probe<T> {
  readonly context: number;
  readonly source: number;
  readonly tag: number;
  /** The source in the world, or ANY_SOURCE. */
  readonly from: number;
  /** It takes the message out of the matching. */
  readonly extract: boolean;
  readonly as: (message: Message) => T;
  readonly what: string;
}

export class Probes {
  readonly #matching: Matching<any, Message>;
  #open: { wanted: Probe<any>; request: Request<any> }[] = [];

  constructor(matching: Matching<any, Message>) {
    this.#matching = matching;
  }

  /** @param gone why no message can come */
  add<T>(wanted: Probe<T>, gone: ((context: number) => Error) | undefined): Request<T> {
    const request = new Request<T>();
    if (this.#answer(wanted, request)) return request;
    if (gone) request.reject(gone(wanted.context));
    else this.#open.push({ wanted, request });
    return request;
  }

  /** A message has come, and no receive takes it. */
  arrived(context: number): void {
    if (!this.#open.length) return;
    for (const { wanted, request } of this.#open) if (wanted.context === context) this.#answer(wanted, request);
    this.#tidy();
  }

  fail(which: (probe: Probe<any>) => boolean, why: (context: number) => Error): void {
    for (const { wanted, request } of this.#open) if (which(wanted)) request.reject(why(wanted.context));
    this.#tidy();
  }

  get wanted(): Probe<any>[] {
    return this.#open.map(({ wanted }) => wanted);
  }

  #answer<T>(wanted: Probe<T>, request: Request<T>): boolean {
    const found = wanted.extract ? this.#matching.extract(wanted) : this.#matching.probe(wanted);
    if (found) request.resolve(wanted.as(found));
    return found !== undefined;
  }

  #tidy(): void {
    this.#open = this.#open.filter(({ request }) => !request.settled);
  }
}
