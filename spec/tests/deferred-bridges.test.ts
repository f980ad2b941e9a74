import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EmptyError, firstValueFrom, lastValueFrom, NEVER, Observable, of, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Deferred } from '../../core/deferred/index.ts';
import { CancelledError, UnhandledError } from '../../core/errors.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

describe('promises', () => {
  test('await is a tap: it sees the value and leaves it', async () => {
    const d = Deferred.succeed(1);
    expect(await d).toBe(1);
    expect(await d).toBe(1);
    expect(await d.addCallback((x) => x + 1)).toBe(2);
  });

  test('sees the value of its own place in the pipeline', async () => {
    const d = new Deferred<number>();
    const before = d.then();
    d.addCallback((x) => x * 2);
    const after = d.then((x) => x + 0.5);
    d.callback(1);
    expect(await Promise.all([before, after])).toEqual([1, 2.5]);
  });

  test('catch and finally', async () => {
    let done = 0;
    expect(await Deferred.fail('bad').catch((e) => [e])).toEqual(['bad']);
    expect(await Deferred.succeed(1).finally(() => done++)).toBe(1);
    await expect(Deferred.fail('bad').finally(() => done++)).rejects.toBe('bad');
    expect(done).toBe(2);
  });

  test('from a promise', async () => {
    expect(await Deferred.from(Promise.resolve(1)).addCallback((x) => x + 1)).toBe(2);
    await expect(Deferred.from(Promise.reject('bad'))).rejects.toBe('bad');
  });

  test('from a promise, cancelled: tells, fails, and drops what comes late', async () => {
    const reasons: unknown[] = [];
    let resolve!: (value: number) => void;
    const source = new Promise<number>((r) => {
      resolve = r;
    });
    const d = Deferred.from(source, (reason) => reasons.push(reason));
    d.cancel('enough');
    await expect(d).rejects.toMatchObject({ code: 'CANCELLED', cause: 'enough' });
    expect(reasons).toEqual(['enough']);
    resolve(1);
    await source;
  });
});

describe('AbortSignal', () => {
  test('an abort cancels, the reason is kept', async () => {
    for (const early of [true, false]) {
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      if (early) controller.abort(reason);
      const promise = new Deferred<number>().toPromise({ signal: controller.signal });
      controller.abort(reason);
      await expect(promise).rejects.toMatchObject({ code: 'CANCELLED', cause: reason });
    }
  });

  test('nothing is left on the signal, and a late abort changes nothing', async () => {
    const controller = new AbortController();
    const d = new Deferred<number>();
    const promise = d.toPromise({ signal: controller.signal });
    d.callback(1);
    const next = new Deferred<number>();
    d.addCallback(() => next);
    controller.abort();
    expect(await promise).toBe(1);
    expect(next.called).toBe(false);
  });
});

describe('observables', () => {
  test('to an observable', async () => {
    expect(await lastValueFrom(Deferred.succeed(1).toObservable())).toBe(1);
    await expect(firstValueFrom(Deferred.fail('bad').toObservable())).rejects.toBe('bad');
  });

  test('unsubscribing cancels, unless it comes after the value', () => {
    const d = new Deferred<number>();
    d.toObservable().subscribe().unsubscribe();
    let error: unknown;
    d.addErrback((e) => (error = e));
    expect(error).toBeInstanceOf(CancelledError);

    const next = new Deferred<number>();
    const e = new Deferred<number>();
    const subscription = e.toObservable().subscribe();
    e.addCallback(() => next);
    e.callback(1);
    subscription.unsubscribe();
    expect(next.called).toBe(false);
  });

  test('from an observable: its first value, then it is left', async () => {
    const subject = new Subject<number>();
    const d = Deferred.from(subject);
    subject.next(1);
    expect(subject.observed).toBe(false);
    expect(await d).toBe(1);
    let left = 0;
    const synchronous = new Observable<number>((s) => {
      s.next(3);
      s.next(4);
      return () => left++;
    });
    expect(await Deferred.from(synchronous)).toBe(3);
    expect(left).toBe(1);
    await expect(Deferred.from(of())).rejects.toBeInstanceOf(EmptyError);
  });

  test('from an observable: cancelling leaves it', async () => {
    const subject = new Subject<number>();
    const d = Deferred.from(subject);
    d.cancel();
    expect(subject.observed).toBe(false);
    await expect(d).rejects.toBeInstanceOf(CancelledError);
    const never = Deferred.from<number>(NEVER);
    never.callback(2);
    expect(await never).toBe(2);
  });
});

describe('an error that nobody handles', () => {
  /** The errors that went unhandled, and what the reports of Deferreds say of them. */
  let reported: unknown[] = [];
  let messages: string[] = [];
  let others: NodeJS.UnhandledRejectionListener[] = [];
  const listen = (error: unknown) => {
    if (error instanceof UnhandledError) messages.push(error.message);
    reported.push(error instanceof UnhandledError ? error.cause : error);
  };

  beforeEach(() => {
    reported = [];
    messages = [];
    others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen);
  });
  afterEach(() => {
    process.removeListener('unhandledRejection', listen);
    for (const other of others) process.on('unhandledRejection', other);
    Deferred.debug = false;
  });
  /** The report is made in a `setImmediate`, and Node's own event follows within the next turn. */
  const turns = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  test('is an unhandled rejection, once', async () => {
    const d = Deferred.fail('lost');
    d.addCallback(() => 1).addCallback(() => 2);
    await turns();
    d.addCallback(() => 3);
    await turns();
    expect(reported).toEqual(['lost']);
  });

  test('is nobody’s business if an errback comes in the same turn, or somebody awaits it', async () => {
    const handled = Deferred.fail('handled');
    const awaited = Deferred.fail('awaited');
    const paused = Deferred.succeed(1);
    paused.pause();
    paused.addCallback(() => {
      throw 'not yet';
    });
    await Promise.resolve();
    handled.addErrback(() => 0);
    await awaited.catch(() => {});
    await turns();
    expect(reported).toEqual([]);
    paused.unpause();
    await turns();
    expect(reported).toEqual(['not yet']);
  });

  test('goes with the outcome to the one who waits', async () => {
    const inner = Deferred.fail('moved');
    const outer = Deferred.succeed(1).addCallback(() => inner);
    outer.addErrback(() => 0);
    const seen = new Deferred<number>();
    seen.callback(
      Deferred.fail('seen inside').tap(
        () => {},
        () => {},
      ),
    );
    await turns();
    expect(reported).toEqual(['seen inside']);
  });

  test('a new error after a handled one counts', async () => {
    Deferred.fail('first').addErrback(() => {
      throw 'second';
    });
    await turns();
    expect(reported).toEqual(['second']);
  });

  test('is not reported again when it is thrown on, waited for, or turned into a promise', async () => {
    const d = Deferred.fail('lost');
    await turns();
    d.addErrback((error) => {
      throw error;
    });
    const outer = Deferred.succeed(1).addCallback(() => d);
    await turns();
    void outer.toPromise();
    void outer.then(() => 1);
    await turns();
    expect(reported).toEqual(['lost']);
    outer.addErrback(() => {
      throw 'another';
    });
    await turns();
    expect(reported).toEqual(['lost', 'another']);
  });

  test('of which a promise has reported, the Deferred does not', async () => {
    void Deferred.fail('lost').toPromise();
    await turns();
    expect(reported).toEqual(['lost']);
    expect(messages).toEqual([]);
  });

  test('that a pause holds up is reported when its Deferred is garbage, unless it went on before', async () => {
    const gone = () => {
      const paused = new Deferred<number>();
      paused.pause();
      paused.errback('forgotten');
      const resumed = new Deferred<number>();
      resumed.pause();
      resumed.errback('remembered');
      return resumed;
    };
    const resumed = gone();
    await turns();
    expect(reported).toEqual([]);
    resumed.unpause();
    resumed.addErrback(() => 0);
    await expect
      .poll(() => {
        collectGarbage();
        return reported;
      })
      .toEqual(['forgotten']);
  });

  test('says what it is; with debug, where the Deferred was made, else how to learn that', async () => {
    Deferred.fail(new RangeError('far'));
    await turns();
    expect(messages[0]).toContain('RangeError: far');
    expect(messages[0]).toContain('set Deferred.debug = true');
    Deferred.debug = true;
    Deferred.maybe(() => {
      throw 'lost';
    });
    await turns();
    expect(messages[1]).toMatch(/It was made\n +at .*deferred-bridges\.test\.ts/);
    expect(messages[1]).not.toContain('debug');
  });
});
