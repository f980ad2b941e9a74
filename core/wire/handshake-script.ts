/** The talk of a handshake: one message said, one of a certain kind heard, until either side has had enough. */
import type { Clock } from '../deferred/clock.ts';
import { ProtocolError, RefusedError, TimeoutError, TransportError } from '../errors.ts';
import { type Envelope, type Header, Kind, pack, unpack } from './envelope.ts';
import type { CloseReason, Connection, Lane } from './transport.ts';

/** ms that the other side may take for all of it. */
const PATIENCE = 10_000;

/** What arrives right behind the welcome. */
export interface Early {
  messages: [parts: Uint8Array[], lane: Lane][];
  /** A connection tells of its end only once. */
  closed?: CloseReason;
}

export function converse(connection: Connection, clock: Clock, signal?: AbortSignal) {
  let waiting: { kind: number; resolve: (e: Envelope) => void; reject: (e: unknown) => void } | undefined;
  let failure: unknown;
  const heard: Envelope[] = [];
  const early: Early = { messages: [] };
  let over = false;
  const fail = (error: unknown): void => {
    failure ??= error;
    const { reject } = waiting ?? {};
    waiting = undefined;
    reject?.(failure);
  };
  const settle = (): void => {
    const next = waiting && heard.shift();
    if (!next || !waiting) return;
    const { kind, resolve, reject } = waiting;
    waiting = undefined;
    if (next.kind === kind) resolve(next);
    else if (next.kind === Kind.REFUSED)
      reject(new RefusedError(`${connection.remote} refused: ${next.error.replace(/^[A-Z_]+ /, '')}`));
    else reject(new ProtocolError(`${connection.remote} did not answer as a tutti controller or engine does`));
  };
  const timer = clock.callLater(PATIENCE, () =>
    fail(new TimeoutError(`No handshake from ${connection.remote} within ${PATIENCE / 1000} s`)),
  );
  const onAbort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  connection.receive({
    message(parts, lane) {
      if (over) {
        early.messages.push([parts, lane]);
        return;
      }
      try {
        if (heard.length > 4) throw new ProtocolError('Too many messages before the handshake');
        const { header } = unpack(parts);
        heard.push(header);
        over = header.kind === Kind.WELCOME;
      } catch (error) {
        return fail(error);
      }
      settle();
    },
    close: (reason) => {
      early.closed = reason;
      fail(new TransportError(`${connection.remote} closed during the handshake: ${reason.message}`));
    },
  });
  return {
    early,
    get unheard(): boolean {
      return heard.length > 0;
    },
    say: (header: Header): void => connection.send(pack(header)),
    hear: (kind: number): Promise<Envelope> =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        waiting = { kind, resolve, reject };
        settle();
      }),
    done(): void {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
