/** The dialling side of a session: connects, proves itself, and when the connection is cut dials again until it resumes. */
import { backoff } from '../backoff.ts';
import { ProtocolError, RefusedError, TimeoutError, TransportError } from '../errors.ts';
import { greet, type Key, type Role, type Welcomed } from './handshake.ts';
import { Session, type SessionHandlers } from './session.ts';
import { type Connection, dial, type TlsOptions } from './transport.ts';

export interface SessionOptions {
  /** Tried in order; the first that answers is used. */
  urls: readonly string[];
  role: Role;
  key: Key;
  /** What this side tells of itself; asked at every connection. */
  about(): object;
  /** How long a cut connection is dialled again, in ms. */
  window: number;
  /** Gives up the first connection. */
  signal?: AbortSignal | undefined;
  tls?: TlsOptions | undefined;
  /** `opened` comes once, before the first message. */
  handlers: SessionHandlers & { opened(session: Session, about: any): void; resumed?(): void };
}

/** Where somebody accepts connections and then says nothing, a process is there, stopped or computing: it gets this many windows. */
const FROZEN_FACTOR = 10;
/** ms for one connection, e.g. to a machine that has gone. */
const DIAL_PATIENCE = 10_000;

/** At the first connection, where one was cut on the way to its welcome, or the listener has too many others before us. */
const ATTEMPTS = { cut: 5, crowded: 20 };
const BACKOFF = backoff({ first: 20, factor: 1.6, most: 1_000, jitter: 0.25 });

/** Resolves when the first connection stands. Rejects when no URL answers or the listener refuses. */
export async function dialSession(options: SessionOptions): Promise<void> {
  const { handlers } = options;
  const { connection, welcomed } = await firstConnection(options);
  const session: Session = new Session(welcomed.session, {
    ...handlers,
    disconnected(reason) {
      handlers.disconnected?.(reason);
      void resume(session, options, reason);
    },
  });
  handlers.opened(session, welcomed.about);
  session.attach(connection, 0, welcomed.early);
}

/** A connection that is cut before it is welcomed, or that finds no room, is no answer: it is tried again, a few times. */
async function firstConnection(options: SessionOptions): ReturnType<typeof connect> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect(options);
    } catch (error) {
      if (!(error instanceof Unsteady)) throw error;
      if (attempt === ATTEMPTS[error.how] || options.signal?.aborted) throw error.cause;
      await new Promise((resolve) => setTimeout(resolve, BACKOFF.delay(attempt - 1)));
    }
  }
}

async function resume(session: Session, options: SessionOptions, reason: string): Promise<void> {
  const start = performance.now();
  let allowed = options.window;
  for (let attempts = 0; ; attempts++) {
    await new Promise((resolve) => setTimeout(resolve, BACKOFF.delay(attempts)));
    if (session.ended || session.connected) return;
    if (performance.now() > start + allowed) return session.lose(`${reason}; no connection for ${allowed / 1000} s`);
    try {
      // The signal was for the first connection; aborted since, it says nothing of this one.
      const { connection, welcomed } = await connect({ ...options, signal: undefined }, session);
      if (session.ended) return connection.destroy('the session ended meanwhile');
      if (welcomed.resumed && session.attach(connection, welcomed.received, welcomed.early))
        return options.handlers.resumed?.();
      connection.destroy('the session cannot be resumed');
      return session.lose(`${reason}; ${welcomed.about?.reason ?? 'the other side could not resume'}`);
    } catch (error) {
      if (error instanceof RefusedError) return session.lose(error.message);
      allowed = options.window * (error instanceof TimeoutError ? FROZEN_FACTOR : 1);
    }
  }
}

async function connect(
  options: SessionOptions,
  session?: Session,
): Promise<{ connection: Connection; welcomed: Welcomed }> {
  const failures: Error[] = [];
  let again: keyof typeof ATTEMPTS | undefined;
  for (const url of options.urls) {
    let connection: Connection;
    const patience = AbortSignal.timeout(DIAL_PATIENCE);
    try {
      const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
      connection = await dial(url, { signal, tls: options.tls });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (code === 'EAGAIN') again = 'crowded';
      else if (code === 'ECONNRESET') again ??= 'cut';
      failures.push(patience.aborted && !(error instanceof TransportError) ? silent(url, error) : (error as Error));
      continue;
    }
    const { role, key } = options;
    const greeting = { role, key, session: session?.id, received: session?.received ?? 0, about: options.about() };
    try {
      return { connection, welcomed: await greet(connection, greeting, options.signal) };
    } catch (error) {
      // Something else answers there, or nothing in time, or it is cut: another address may be the right one.
      const cut = error instanceof TransportError;
      if (!(cut || error instanceof ProtocolError || error instanceof TimeoutError) || options.signal?.aborted)
        throw error;
      if (cut) again ??= 'cut';
      failures.push(error as Error);
    }
  }
  const late = failures.find((failure) => failure instanceof TimeoutError);
  if (late) throw late; // the controller may only be frozen
  const error =
    failures.length === 1
      ? failures[0]!
      : new TransportError(`Nobody answers: ${failures.map((f) => f.message).join('; ')}`, { cause: failures });
  throw again ? new Unsteady(error, again) : error;
}

function silent(url: string, cause: unknown): TransportError {
  return new TransportError(`Cannot dial ${url}: no answer within ${DIAL_PATIENCE / 1_000} s`, { cause });
}

/** Somebody is there, as it seems. */
class Unsteady extends Error {
  readonly how: keyof typeof ATTEMPTS;
  constructor(cause: Error, how: keyof typeof ATTEMPTS) {
    super(cause.message, { cause });
    this.how = how;
  }
}
