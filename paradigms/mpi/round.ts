/** A collective as its algorithm sees it: members by rank, messages that meet nobody else's, and requests that are waited for. */
import type { TypedArray } from './arrays.ts';
import { ANY_SOURCE } from './constants.ts';
import type { Core } from './core.ts';
import type { Packet } from './packet.ts';
import type { Request } from './request.ts';
import { withAlgorithm } from './signature.ts';
import type { Receive } from './transfer.ts';

export class Round {
  readonly rank: number;
  readonly size: number;
  readonly #core: Core;
  readonly #tag: number;
  readonly #signature: number;

  constructor(core: Core, number: number, signature: number) {
    this.#core = core;
    this.rank = core.rank;
    this.size = core.size;
    this.#tag = number;
    this.#signature = signature;
  }

  send(to: number, packet: Packet, algorithm = 0): Request {
    const { messenger, members, context } = this.#core;
    const envelope = {
      context: context + 1,
      source: this.rank,
      tag: this.#tag,
      signature: withAlgorithm(this.#signature, algorithm),
    };
    return messenger.send(members[to]!, packet, envelope, false, '');
  }

  receive(source: number, into?: TypedArray): Receive<Packet> {
    const { messenger, members, context } = this.#core;
    const from = source === ANY_SOURCE ? ANY_SOURCE : members[source]!;
    return messenger.receive({ context: context + 1, source, tag: this.#tag, from, into, as: asItIs, what: '' });
  }
}

/** The value of a request, when it is there. */
export function* on<T>(request: Request<T>): Generator<Request, T> {
  if (!request.settled) yield request;
  return request.take();
}

export function* onAll(requests: readonly Request[]): Generator<Request, void> {
  for (const request of requests) yield* on(request);
}

/** Lets an algorithm run until it waits, and goes on from there when it need not any more. */
export function drive<T>(
  call: Request<T>,
  steps: Generator<Request, T>,
  failed: (error: unknown) => void = () => {},
): void {
  const step = (): void => {
    try {
      for (;;) {
        const next = steps.next();
        if (next.done) {
          call.resolve(next.value);
          return;
        }
        if (next.value.settled) continue;
        next.value.whenSettled(step);
        return;
      }
    } catch (error) {
      call.reject(error);
      failed(error);
    }
  };
  step();
}

export const asItIs = (packet: Packet): Packet => packet;
