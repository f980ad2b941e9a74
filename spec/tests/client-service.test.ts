/** A service that connects, loses, waits and connects again, by a clock that the test moves. */
import fc from 'fast-check';
import {
  backoff,
  CancelledError,
  type ClientService,
  type ClientServiceOptions,
  clientService,
  Deferred,
  type ServedConnection,
  serviceTree,
  TestClock,
  UsageError,
} from 'tutti';
import { describe, expect, test } from 'vitest';

class Wire implements ServedConnection {
  #ended = new Deferred<void>();
  readonly closed = this.#ended.toPromise();
  asked = 0;
  /** What `close` does: ends it at once, or waits for `lose`, or throws. */
  onClose: () => unknown = () => this.lose();
  get gone(): boolean {
    return this.#ended.called;
  }
  lose(): void {
    if (!this.gone) this.#ended.callback();
  }
  close(): unknown {
    this.asked++;
    return this.onClose();
  }
}

/** Attempts wait until the test answers them. */
class Desk {
  readonly clock = new TestClock();
  readonly attempts: { answer: Deferred<Wire>; signal: AbortSignal }[] = [];
  readonly service: ClientService<Wire>;

  constructor(options: Partial<ClientServiceOptions<Wire>> = {}) {
    this.service = clientService<Wire>({
      name: 'broker',
      connect: (signal) => {
        const answer = new Deferred<Wire>();
        this.attempts.push({ answer, signal });
        return answer.toPromise();
      },
      backoff: backoff({ first: 100, factor: 2, most: 300, jitter: 0.5 }),
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
  }

  async connects(wire = new Wire()): Promise<Wire> {
    this.attempts.at(-1)!.answer.callback(wire);
    await settle();
    return wire;
  }

  async fails(error: unknown = new Error('refused')): Promise<void> {
    this.attempts.at(-1)!.answer.errback(error);
    await settle();
  }
}

/** Promises that depend on nothing else have settled. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function outcomeOf<T>(promise: PromiseLike<T>): { value?: T; error?: unknown } {
  const outcome: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => Object.assign(outcome, { value }),
    (error: unknown) => Object.assign(outcome, { error }),
  );
  return outcome;
}

describe('connecting', () => {
  test('begins with start, and gives the connection to all who wait for it', async () => {
    const { desk, service } = withService();
    const early = outcomeOf(service.whenConnected());
    expect([service.state, desk.attempts.length]).toEqual(['init', 0]);
    service.start();
    service.start();
    expect(service.state).toBe('connecting');
    const wire = await desk.connects();
    expect([service.state, desk.attempts.length]).toEqual(['connected', 1]);
    expect(early).toEqual({ value: wire });
    expect(await service.whenConnected()).toBe(wire);
    await service.stop();
  });

  test('is tried again after longer and longer waits, and after a loss from the first one on', async () => {
    const { desk, service } = withService();
    service.start();
    const waits: number[] = [];
    const wait = (): void => {
      expect(service.state).toBe('waiting');
      const before = desk.clock.now();
      const { length } = desk.attempts;
      while (desk.attempts.length === length) desk.clock.advance(1);
      waits.push(desk.clock.now() - before);
    };
    for (let i = 0; i < 4; i++) {
      await desk.fails();
      wait();
    }
    expect(waits).toEqual([100, 200, 300, 300]);
    (await desk.connects()).lose();
    await settle();
    wait();
    expect(waits.at(-1)).toBe(100);
    await desk.fails();
    wait();
    expect(waits.at(-1)).toBe(200);
    await desk.connects();
    await service.stop();
    expect(desk.clock.pending).toBe(0);
  });

  test('chance comes from where it is asked to', async () => {
    const { desk, service } = withService({ random: () => 1 });
    service.start();
    await desk.fails();
    desk.clock.advance(149);
    expect(service.state).toBe('waiting');
    desk.clock.advance(1);
    expect(service.state).toBe('connecting');
    await desk.fails();
    await service.stop();
  });

  test('a connect that throws at once has failed', async () => {
    const reason = new Error('no such host');
    const { service, desk } = withService({
      connect: () => {
        throw reason;
      },
    });
    const failed = outcomeOf(service.whenConnected(1));
    service.start();
    await settle();
    expect([failed, service.state, desk.clock.pending]).toEqual([{ error: reason }, 'waiting', 1]);
    await service.stop();
    expect([service.state, desk.clock.pending]).toEqual(['stopped', 0]);
  });
});

describe('whenConnected', () => {
  test('fails with the last failure after as many as it allows, counted from its call', async () => {
    const { desk, service } = withService();
    service.start();
    const [patient, two] = [outcomeOf(service.whenConnected()), outcomeOf(service.whenConnected(2))];
    await desk.fails(new Error('first'));
    const one = outcomeOf(service.whenConnected(1));
    desk.clock.advance(100);
    const second = new Error('second');
    await desk.fails(second);
    expect([patient, two, one]).toEqual([{}, { error: second }, { error: second }]);
    desk.clock.advance(200);
    const wire = await desk.connects();
    expect(patient).toEqual({ value: wire });
    await service.stop();
  });

  test('can be cancelled, by one who waits for himself alone', async () => {
    const { desk, service } = withService();
    service.start();
    const [mine, theirs] = [service.whenConnected(), service.whenConnected()];
    mine.cancel('changed my mind');
    await expect(mine.toPromise()).rejects.toThrow('changed my mind');
    const wire = await desk.connects();
    expect(await theirs).toBe(wire);
    await service.stop();
  });

  test.each([0, -1, Number.NaN])('of %d failures makes no sense', (failures) => {
    expect(() => withService().service.whenConnected(failures)).toThrow(UsageError);
  });

  test('after a stop is cancelled at once', async () => {
    const { service } = withService();
    await service.stop();
    await expect(service.whenConnected().toPromise()).rejects.toThrow(CancelledError);
  });
});

test('connections$ tells the connection that there is, and each one after it', async () => {
  const desk = new Desk();
  const early: Wire[] = [];
  const late: Wire[] = [];
  desk.service.connections$.subscribe((wire) => early.push(wire));
  desk.service.start();
  const first = await desk.connects();
  const subscription = desk.service.connections$.subscribe((wire) => late.push(wire));
  first.lose();
  await settle();
  desk.clock.advance(300);
  const second = await desk.connects();
  subscription.unsubscribe();
  await desk.service.stop();
  desk.service.start();
  const third = await desk.connects();
  expect([early, late]).toEqual([
    [first, second, third],
    [first, second],
  ]);
  await desk.service.stop();
});

describe('prepareConnection', () => {
  test('goes before anybody gets the connection', async () => {
    const login = new Deferred<void>();
    const { desk, service } = withService({ prepareConnection: () => login });
    service.start();
    const waiting = outcomeOf(service.whenConnected());
    const wire = await desk.connects();
    expect([service.state, waiting]).toEqual(['connecting', {}]);
    login.callback();
    await settle();
    expect([service.state, waiting]).toEqual(['connected', { value: wire }]);
    await service.stop();
  });

  test.each(['throws', 'rejects'])('that %s counts as a failure, and its connection is closed', async (how) => {
    const reason = new Error('wrong password');
    const { desk, service } = withService({
      prepareConnection: () => {
        if (how === 'throws') throw reason;
        return Promise.reject(reason);
      },
    });
    service.start();
    const waiting = outcomeOf(service.whenConnected(1));
    const wire = await desk.connects();
    expect([service.state, waiting, wire.gone]).toEqual(['waiting', { error: reason }, true]);
    await service.stop();
  });

  test('is not waited for when the connection is lost', async () => {
    const { desk, service } = withService({ prepareConnection: () => new Promise(() => {}) });
    service.start();
    const waiting = outcomeOf(service.whenConnected(1));
    (await desk.connects()).lose();
    await settle();
    expect(service.state).toBe('waiting');
    expect(String(waiting.error)).toMatch('lost while it was being prepared');
    await service.stop();
  });

  test('is told to end by a stop', async () => {
    let told: AbortSignal | undefined;
    const { desk, service } = withService({
      prepareConnection: (_wire, signal) => {
        told = signal;
        return new Promise(() => {});
      },
    });
    service.start();
    const wire = await desk.connects();
    await service.stop();
    expect([told?.aborted, wire.gone, service.state]).toEqual([true, true, 'stopped']);
  });
});

describe('stopping', () => {
  test('waits for the end of the connection, and cancels who waits', async () => {
    const { desk, service } = withService();
    service.start();
    const wire = await desk.connects();
    wire.onClose = () => {};
    const stops = [outcomeOf(service.stop()), outcomeOf(service.stop())];
    const waiting = outcomeOf(service.whenConnected());
    await settle();
    expect([service.state, stops, waiting, wire.asked]).toEqual(['disconnecting', [{}, {}], {}, 1]);
    wire.lose();
    await settle();
    expect([service.state, stops]).toEqual(['stopped', [{ value: undefined }, { value: undefined }]]);
    expect(waiting.error).toBeInstanceOf(CancelledError);
    expect(desk.attempts).toHaveLength(1);
  });

  test('aborts an attempt and waits for it, also for one that succeeds all the same', async () => {
    for (const late of [true, false]) {
      const { desk, service } = withService();
      service.start();
      const waiting = outcomeOf(service.whenConnected());
      const stop = outcomeOf(service.stop());
      await settle();
      expect([service.state, desk.attempts[0]!.signal.aborted, stop]).toEqual(['disconnecting', true, {}]);
      const wire = new Wire();
      if (late) await desk.connects(wire);
      else await desk.fails();
      expect([service.state, stop, wire.gone]).toEqual(['stopped', { value: undefined }, late]);
      expect(waiting.error).toBeInstanceOf(CancelledError);
    }
  });

  test('while it waits for the next attempt takes no time', async () => {
    const { desk, service } = withService();
    service.start();
    await desk.fails();
    const waiting = outcomeOf(service.whenConnected());
    await service.stop();
    expect([service.state, desk.clock.pending]).toEqual(['stopped', 0]);
    expect(waiting.error).toBeInstanceOf(CancelledError);
  });

  test('a start meanwhile connects anew once it is over, for those who wait too', async () => {
    const { desk, service } = withService();
    service.start();
    const old = await desk.connects();
    old.onClose = () => {};
    const stop = outcomeOf(service.stop());
    service.start();
    const waiting = outcomeOf(service.whenConnected());
    expect([service.state, desk.attempts.length]).toEqual(['restarting', 1]);
    old.lose();
    await settle();
    expect([service.state, desk.attempts.length, stop]).toEqual(['connecting', 2, { value: undefined }]);
    const wire = await desk.connects();
    expect(waiting).toEqual({ value: wire });
    await service.stop();
    expect(wire.gone).toBe(true);
  });

  test('tells what keeps a connection from being closed', async () => {
    const { desk, service } = withService();
    service.start();
    const reason = new Error('cannot be closed');
    const wire = await desk.connects();
    wire.onClose = () => {
      throw reason;
    };
    await expect(service.stop()).rejects.toBe(reason);
    expect(service.state).toBe('stopped');
  });

  test('is what a tree does with it', async () => {
    const { desk, service } = withService();
    const tree = serviceTree('home', [service]);
    await tree.start();
    const wire = await desk.connects();
    await tree.stop();
    expect([wire.gone, service.state]).toEqual([true, 'stopped']);
  });
});

const step = fc.constantFrom('start', 'stop', 'wait', 'connect', 'fail', 'lose', 'linger', 'tick', 'turn', 'cancel');

test('in any order of events there is one connection at most, and a stop leaves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { desk, service } = withService();
      const wires: Wire[] = [];
      const asked: Deferred<Wire>[] = [];
      const answers: { value?: Wire; error?: unknown }[] = [];
      const stops: ReturnType<typeof outcomeOf<void>>[] = [];
      const alive = (): Wire[] => wires.filter((wire) => !wire.gone);
      const open = () => desk.attempts.filter(({ answer }) => !answer.called);
      for (const it of steps) {
        const attempt = open()[0];
        if (it === 'start') service.start();
        else if (it === 'stop') stops.push(outcomeOf(service.stop()));
        else if (it === 'wait') {
          asked.push(service.whenConnected());
          answers.push(outcomeOf(asked.at(-1)!));
        } else if (it === 'cancel') asked.at(-1)?.cancel();
        else if (it === 'connect' && attempt) {
          wires.push(new Wire());
          attempt.answer.callback(wires.at(-1)!);
        } else if (it === 'fail') attempt?.answer.errback(new Error('refused'));
        else if (it === 'lose') alive()[0]?.lose();
        else if (it === 'linger') for (const wire of alive()) wire.onClose = () => {};
        else if (it === 'tick') desk.clock.advance(300);
        else if (it === 'turn') await settle();
        expect(open().length + alive().length).toBeLessThanOrEqual(1);
        expect(desk.clock.pending).toBe(service.state === 'waiting' ? 1 : 0);
      }
      // Whatever happened, a last stop ends it once the world lets go.
      stops.push(outcomeOf(service.stop()));
      for (const { answer } of open()) answer.errback(new Error('refused'));
      await settle();
      for (const wire of alive()) wire.lose();
      await settle();
      expect([service.state, alive().length, open().length, desk.clock.pending]).toEqual(['stopped', 0, 0, 0]);
      expect(stops.filter((stop) => !('value' in stop))).toEqual([]);
      expect(answers.filter((answer) => !('value' in answer) && !(answer.error instanceof CancelledError))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function withService(options?: Partial<ClientServiceOptions<Wire>>): { desk: Desk; service: ClientService<Wire> } {
  const desk = new Desk(options);
  return { desk, service: desk.service };
}
