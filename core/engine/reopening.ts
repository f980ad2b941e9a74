/** Channels that may be cut without the end of an engine: the side that has opened one opens its connection again. */
import { backoff } from '../backoff.ts';
import { EngineLostError, RefusedError } from '../errors.ts';
import type { Welcomed } from '../wire/handshake.ts';
import type { Session } from '../wire/session.ts';
import type { Connection } from '../wire/transport.ts';

/** ms that a channel may be without a connection. */
export const REOPENS = 10_000;

const BACKOFF = backoff({ first: 20, factor: 1.6, most: 1_000, jitter: 0.25 });

export interface Greeted {
  readonly connection: Connection;
  readonly welcomed: Welcomed;
}

/** On the side that was dialled: the other one opens it again within `REOPENS` of each cut, or not at all. */
export function awaitReopening(): (session: Pick<Session, 'connected'>, fail: (reason: string) => void) => void {
  let timer: NodeJS.Timeout | undefined;
  return (session, fail) => {
    clearTimeout(timer); // of the cut before, after which it was opened again
    timer = setTimeout(() => session.connected || fail('it was not opened again'), REOPENS).unref();
  };
}

/** `fail` is called if it cannot be; not so when the session has ended meanwhile. */
export async function reopen(
  session: Session,
  connect: () => Promise<Greeted>,
  fail: (reason: string) => void,
): Promise<void> {
  const until = performance.now() + REOPENS;
  for (let attempts = 0; ; attempts++) {
    await new Promise((resolve) => setTimeout(resolve, BACKOFF.delay(attempts)));
    if (session.ended) return;
    try {
      const { connection, welcomed } = await connect();
      if (session.ended) connection.destroy('the channel has ended meanwhile');
      else if (!welcomed.resumed || !session.attach(connection, welcomed.received, welcomed.early)) {
        connection.destroy('the channel cannot be resumed');
        fail('the channel could not be resumed');
      }
      return;
    } catch (error) {
      const final = error instanceof EngineLostError || error instanceof RefusedError || performance.now() > until;
      if (session.ended) return;
      if (final) {
        fail((error as Error).message);
        return;
      }
    }
  }
}
