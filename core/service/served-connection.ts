/** A connection that a client service keeps, and one attempt to have it. */
import { TransportError } from '../errors.ts';
import type { Logger } from '../log.ts';

/** Whatever is connected to: a session, a socket, a broker's client. */
export interface ServedConnection {
  /** Settles, either way, when the connection is gone, whoever ended it. */
  readonly closed: PromiseLike<unknown>;
  /** Ends it; `closed` settles after that. Called once at most, maybe when it is gone already. */
  close(): unknown;
}

/** How a service connects. */
export interface Connecting<C extends ServedConnection> {
  readonly name: string;
  /** One attempt. The signal aborts it when the service stops; a stop waits until it has settled. */
  connect(signal: AbortSignal): C | PromiseLike<C>;
  /** What each new connection goes through before anybody gets it, e.g. a login. If it throws, the attempt has failed. */
  prepareConnection?: ((connection: C, signal: AbortSignal) => unknown) | undefined;
}

/** One attempt: a connection that has been prepared. Whatever fails, nothing of it is left when this rejects. */
export async function prepared<C extends ServedConnection>(
  options: Connecting<C>,
  signal: AbortSignal,
  log: Logger,
): Promise<C> {
  const connection = await options.connect(signal);
  try {
    signal.throwIfAborted();
    if (options.prepareConnection)
      await during(connection, signal, () => options.prepareConnection?.(connection, signal));
    return connection;
  } catch (error) {
    await closed(connection).catch((cause) =>
      log.warn('A connection could not be closed', { service: options.name, error: cause }),
    );
    throw error;
  }
}

/** Ends it, and resolves when it is gone. Rejects with what `close` throws. */
export async function closed(connection: ServedConnection): Promise<void> {
  await connection.close();
  await connection.closed.then(
    () => {},
    () => {},
  );
}

/** Waits for the work, but not longer than the connection and the signal live. */
function during(connection: ServedConnection, signal: AbortSignal, work: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new TransportError('The connection was lost while it was being prepared'));
    connection.closed.then(gone, gone);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    Promise.resolve()
      .then(work)
      .then(() => resolve(), reject);
  });
}
