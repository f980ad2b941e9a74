/** A service that is connected for as long as it runs: it connects, waits after a failure or a loss, and connects again. */
import { defer, type Observable, Subject, startWith } from 'rxjs';
import { type Backoff, backoff } from '../backoff.ts';
import { type Clock, realClock } from '../deferred/clock.ts';
import { Deferred } from '../deferred/deferred.ts';
import { CancelledError, UsageError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import { type Connecting, closed, prepared, type ServedConnection } from './served-connection.ts';
import type { Service } from './service.ts';

export interface ClientServiceOptions<C extends ServedConnection> extends Connecting<C> {
  /** Default: one second, then half as much again each time, up to a minute; half of it left to chance. */
  backoff?: Backoff | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
  /** Is told of every failure, and what is done about it. */
  log?: Logger | undefined;
}

/**
 * `init` and `stopped`: not started. `waiting`: for the next attempt. `disconnecting`: stopping, until the attempt or the
 * connection is over. `restarting`: the same, and started again meanwhile.
 */
export type ClientState = 'init' | 'connecting' | 'waiting' | 'connected' | 'disconnecting' | 'restarting' | 'stopped';

export interface ClientService<C extends ServedConnection> extends Service, AsyncDisposable {
  readonly state: ClientState;
  /** Begins to connect, and does not wait for that. */
  start(): void;
  /**
   * Resolves when it is disconnected; rejects with what `close` threw. Those who wait for a connection get CancelledError
   * then, unless it was started again meanwhile.
   */
  stop(): Promise<void>;
  /**
   * The connection, as soon as there is one. With a number, fails with the last failure after so many attempts that have
   * failed from now on; otherwise it waits for ever. Stopped: CancelledError. Can be cancelled.
   */
  whenConnected(failAfterFailures?: number): Deferred<C>;
  /** The connection, if there is one, and each one after it. It does not end, since a service can be started again. */
  readonly connections$: Observable<C>;
}

export function clientService<C extends ServedConnection>(options: ClientServiceOptions<C>): ClientService<C> {
  return new ReconnectingClient(options);
}

const PATIENT = backoff({ first: 1_000, factor: 1.5, most: 60_000, jitter: 0.5 });

interface Waiter<C> {
  readonly deferred: Deferred<C>;
  failuresLeft: number;
}

/** There is one attempt or one connection at a time, never both: the next begins when the one before is over. */
class ReconnectingClient<C extends ServedConnection> implements ClientService<C> {
  readonly name: string;
  readonly connections$: Observable<C> = defer(() =>
    this.#connection ? this.#opens.pipe(startWith(this.#connection)) : this.#opens,
  );
  state: ClientState = 'init';
  readonly #options: ClientServiceOptions<C>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #attempt: AbortController | undefined;
  #connection: C | undefined;
  #retry: { cancel(): void } | undefined;
  /** Losses and failed attempts since it was connected. */
  #failures = 0;
  #waiters = new Set<Waiter<C>>();
  #stopping: Deferred<void>[] = [];
  #opens = new Subject<C>();

  constructor(options: ClientServiceOptions<C>) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? silentLogger;
  }

  start(): void {
    if (this.state === 'disconnecting') this.state = 'restarting';
    else if (this.state === 'init' || this.state === 'stopped') this.#connect();
  }

  stop(): Promise<void> {
    const { state } = this;
    if (state === 'init' || state === 'stopped' || state === 'waiting') {
      this.#retry?.cancel();
      this.#stopped();
      return Promise.resolve();
    }
    this.state = 'disconnecting';
    const stopped = new Deferred<void>();
    this.#stopping.push(stopped);
    if (state === 'connecting')
      this.#attempt?.abort(new CancelledError(`The service '${this.name}' was stopped while it was connecting`));
    else if (state === 'connected') void this.#disconnect(this.#connection!);
    return stopped.toPromise();
  }

  whenConnected(failAfterFailures = Number.POSITIVE_INFINITY): Deferred<C> {
    if (!(failAfterFailures >= 1))
      throw new UsageError(`whenConnected takes a number of failures, 1, 2, …; got ${failAfterFailures}`);
    if (this.state === 'connected') return Deferred.succeed(this.#connection!);
    if (this.state === 'stopped') return Deferred.fail(this.#cancelled());
    const waiter: Waiter<C> = {
      deferred: new Deferred<C>(() => this.#waiters.delete(waiter)),
      failuresLeft: failAfterFailures,
    };
    this.#waiters.add(waiter);
    return waiter.deferred;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #connect(): void {
    this.state = 'connecting';
    const { signal } = (this.#attempt = new AbortController());
    prepared(this.#options, signal, this.#log).then(
      (connection) => this.#opened(connection),
      (error) => this.#failed(error),
    );
  }

  #opened(connection: C): void {
    if (this.state !== 'connecting') return void this.#disconnect(connection); // stopped just now
    this.#connection = connection;
    this.state = 'connected';
    const lost = (): void => {
      if (this.#connection === connection && this.state === 'connected') this.#over();
    };
    connection.closed.then(lost, lost);
    this.#failures = 0;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { deferred } of waiters) deferred.callback(connection);
    this.#opens.next(connection);
  }

  async #disconnect(connection: C): Promise<void> {
    try {
      await closed(connection);
      this.#over();
    } catch (error) {
      this.#over(error);
    }
  }

  #failed(error: unknown): void {
    if (this.state !== 'connecting') {
      this.#over();
      return;
    }
    for (const waiter of [...this.#waiters]) {
      if (--waiter.failuresLeft > 0) continue;
      this.#waiters.delete(waiter);
      waiter.deferred.errback(error);
    }
    this.#wait(error);
  }

  /** The attempt or the connection is over. */
  #over(...failure: unknown[]): void {
    const { state } = this;
    this.#connection = undefined;
    if (state === 'connected') {
      this.#wait();
      return;
    }
    const stops = this.#stopping.splice(0);
    if (state === 'restarting') this.#connect();
    else this.#stopped();
    for (const stop of stops) {
      if (failure.length) stop.errback(failure[0]);
      else stop.callback();
    }
  }

  #wait(error?: unknown): void {
    this.state = 'waiting';
    const { backoff: pace = PATIENT, random } = this.#options;
    const ms = pace.delay(this.#failures++, random);
    this.#log.info('Not connected; it will be tried again', { service: this.name, ms, error });
    this.#retry = this.#clock.callLater(ms, () => this.#connect());
  }

  #stopped(): void {
    this.state = 'stopped';
    this.#failures = 0;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { deferred } of waiters) deferred.errback(this.#cancelled());
  }

  #cancelled(): CancelledError {
    return new CancelledError(`The service '${this.name}' has stopped; start it to connect`);
  }
}
