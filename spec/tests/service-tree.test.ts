/** Services that start in order and stop in reverse, whatever fails and whoever calls when. */
import fc from 'fast-check';
import { CancelledError, Deferred, type Service, serviceTree, UsageError } from 'tutti';
import { describe, expect, test } from 'vitest';

/** Says what happens to it; fails where it is told to. */
function reporting(log: string[], name: string, fails: { start?: Error; stop?: Error } = {}): Service {
  const report = (what: 'start' | 'stop') => async () => {
    log.push(`${what} ${name}`);
    await Promise.resolve();
    if (fails[what]) throw fails[what];
    log.push(`${what === 'start' ? 'started' : 'stopped'} ${name}`);
  };
  return { name, start: report('start'), stop: report('stop') };
}

/** Without what only says that it began. */
const ends = (log: string[]): string[] => log.filter((line) => /^(started|stopped)/.test(line));

describe('a tree', () => {
  test('starts in order, each when the one before it has started, and stops in reverse', async () => {
    const log: string[] = [];
    const tree = serviceTree(
      'home',
      ['a', 'b', 'c'].map((name) => reporting(log, name)),
    );
    expect(tree.state).toBe('stopped');
    await tree.start();
    expect(tree.state).toBe('running');
    await tree.stop();
    expect(tree.state).toBe('stopped');
    expect(log.join(', ')).toBe(
      'start a, started a, start b, started b, start c, started c, stop c, stopped c, stop b, stopped b, stop a, stopped a',
    );
  });

  test('whose service cannot start stops those that were started and says why', async () => {
    const log: string[] = [];
    const reason = new Error('no disk');
    const warnings: unknown[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (_text: string, fields?: object) => warnings.push(fields),
    };
    const stuck = new Error('stuck');
    const tree = serviceTree(
      'home',
      [
        reporting(log, 'a'),
        reporting(log, 'b', { stop: stuck }),
        reporting(log, 'c', { start: reason }),
        reporting(log, 'd'),
      ],
      { log: logger },
    );
    await expect(tree.start()).rejects.toBe(reason);
    expect(log.slice(-4)).toEqual(['start c', 'stop b', 'stop a', 'stopped a']);
    expect(warnings).toEqual([{ tree: 'home', service: 'b', error: stuck }]);
    expect(tree.state).toBe('stopped');
    await tree.stop();
    expect(log).toHaveLength(8);
  });

  test('stops all, whatever fails, and tells of all that did', async () => {
    const log: string[] = [];
    const [first, third] = [new Error('one'), new Error('three')];
    const tree = serviceTree('home', [
      reporting(log, 'a', { stop: first }),
      reporting(log, 'b'),
      reporting(log, 'c', { stop: third }),
    ]);
    await tree.start();
    const error = await tree.stop().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      errors: [third, first],
      message: "2 of 3 services of 'home' failed to stop: three; one",
    });
    expect(ends(log)).toContain('stopped b');
    await tree.stop();
    await tree.start();
    expect(ends(log).filter((line) => line === 'started b')).toHaveLength(2);
  });

  test('started or stopped twice, at once or later, does it once', async () => {
    const log: string[] = [];
    const tree = serviceTree('home', [reporting(log, 'a')]);
    await tree.stop();
    await Promise.all([tree.start(), tree.start()]);
    await tree.start();
    await Promise.all([tree.stop(), tree.stop()]);
    await tree.stop();
    expect(ends(log)).toEqual(['started a', 'stopped a']);
  });

  test('two that wait for a start that fails both learn why, of one attempt', async () => {
    const log: string[] = [];
    const reason = new Error('no');
    const tree = serviceTree('home', [reporting(log, 'a', { start: reason })]);
    expect(await Promise.allSettled([tree.start(), tree.start()])).toEqual(
      Array(2).fill({ status: 'rejected', reason }),
    );
    expect(log).toEqual(['start a']);
  });

  test('that is stopped while it starts lets the one that is starting finish, and starts no more', async () => {
    const log: string[] = [];
    const door = new Deferred<void>();
    const slow = { ...reporting(log, 'slow'), start: () => door.toPromise() };
    const tree = serviceTree('home', [reporting(log, 'a'), slow, reporting(log, 'never')]);
    const started = tree.start();
    const failed = expect(started).rejects.toThrow(CancelledError);
    await expect.poll(() => log).toContain('started a');
    const stopped = tree.stop();
    door.callback();
    await failed;
    await stopped;
    expect(ends(log)).toEqual(['started a', 'stopped slow', 'stopped a']);
  });

  test('is a service: in another tree it starts and stops in its place', async () => {
    const log: string[] = [];
    const inner = serviceTree('inner', [reporting(log, 'b'), reporting(log, 'c')]);
    const outer = serviceTree('outer', [reporting(log, 'a'), inner, reporting(log, 'd')]);
    {
      await using tree = outer;
      await tree.start();
      expect(inner.state).toBe('running');
    }
    expect(ends(log).join(', ')).toBe(
      'started a, started b, started c, started d, stopped d, stopped c, stopped b, stopped a',
    );
  });

  test('takes services that are not asynchronous, and those that throw at once', async () => {
    const reason = new Error('at once');
    const calls: string[] = [];
    const plain: Service = {
      name: 'plain',
      start: () => void calls.push('start'),
      stop: () => void calls.push('stop'),
    };
    const tree = serviceTree('home', [
      plain,
      {
        name: 'bad',
        start() {
          throw reason;
        },
        stop() {},
      },
    ]);
    await expect(tree.start()).rejects.toBe(reason);
    expect(calls).toEqual(['start', 'stop']);
  });
});

describe('members', () => {
  test('have names that are unique in their tree', async () => {
    const log: string[] = [];
    expect(() => serviceTree('home', [reporting(log, 'a'), reporting(log, 'a')])).toThrow(UsageError);
    const tree = serviceTree('home', [reporting(log, 'a')]);
    await expect(tree.add(reporting(log, 'a'))).rejects.toThrow("'home' has a service 'a' already");
    await expect(tree.remove('b')).rejects.toThrow("'home' has no service 'b'; it has 'a'");
    expect(tree.services.map(({ name }) => name)).toEqual(['a']);
  });

  test('that come to a tree that runs are started now, and stopped first', async () => {
    const log: string[] = [];
    const tree = serviceTree('home', [reporting(log, 'a')]);
    await tree.add(reporting(log, 'b'));
    expect(log).toEqual([]);
    await tree.start();
    await tree.add(reporting(log, 'c'));
    expect(ends(log)).toEqual(['started a', 'started b', 'started c']);
    await tree.stop();
    expect(ends(log).slice(3)).toEqual(['stopped c', 'stopped b', 'stopped a']);
  });

  test('that come and cannot start are not members, and the others go on', async () => {
    const log: string[] = [];
    const tree = serviceTree('home', [reporting(log, 'a')]);
    await tree.start();
    const reason = new Error('no');
    await expect(tree.add(reporting(log, 'b', { start: reason }))).rejects.toBe(reason);
    expect([tree.state, tree.services.map(({ name }) => name)]).toEqual(['running', ['a']]);
    await tree.add(reporting(log, 'b'));
    await tree.stop();
  });

  test('that are removed are stopped where they ran, and out also when that fails', async () => {
    const log: string[] = [];
    const stuck = new Error('stuck');
    const tree = serviceTree('home', [reporting(log, 'a'), reporting(log, 'b', { stop: stuck }), reporting(log, 'c')]);
    await tree.remove('c');
    expect(log).toEqual([]);
    await tree.start();
    await tree.remove('a');
    expect(ends(log)).toEqual(['started a', 'started b', 'stopped a']);
    await expect(tree.remove('b')).rejects.toBe(stuck);
    expect(tree.services).toEqual([]);
    await tree.stop();
  });
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('start', 'stop', 'turn', 'turn') },
  { weight: 2, arbitrary: fc.record({ add: fc.nat(3), failsStart: fc.boolean(), failsStop: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(3) }) },
);

test('in any order of calls, each service is started and stopped in turn, above what it stands on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const tree = serviceTree('home');
      const running: Service[] = [];
      const make = (name: string, failsStart: boolean, failsStop: boolean): Service => {
        const service: Service = {
          name,
          async start() {
            await Promise.resolve();
            expect(running.map((other) => other.name)).not.toContain(name);
            // What stands before it in the tree runs.
            const order = tree.services;
            expect(running).toEqual(order.slice(0, order.indexOf(service)));
            if (failsStart) throw new Error(`start ${name}`);
            running.push(service);
          },
          async stop() {
            await Promise.resolve();
            expect(running).toContain(service);
            if (tree.services.includes(service)) expect(running.at(-1)).toBe(service);
            running.splice(running.indexOf(service), 1);
            if (failsStop) throw new Error(`stop ${name}`);
          },
        };
        return service;
      };
      const outcomes: Promise<unknown>[] = [];
      const wrong: unknown[] = [];
      const expected = (error: unknown): void => {
        const errors = error instanceof AggregateError ? error.errors : [error];
        for (const one of errors)
          if (!(one instanceof UsageError || one instanceof CancelledError || /^(start|stop) s/.test(one.message)))
            wrong.push(one);
      };
      for (const it of steps) {
        if (it === 'turn') await new Promise((resolve) => setImmediate(resolve));
        else if (it === 'start') outcomes.push(tree.start().catch(expected));
        else if (it === 'stop') outcomes.push(tree.stop().catch(expected));
        else if ('remove' in it) outcomes.push(tree.remove(`s${it.remove}`).catch(expected));
        else outcomes.push(tree.add(make(`s${it.add}`, it.failsStart, it.failsStop)).catch(expected));
      }
      await Promise.all(outcomes);
      expect(wrong).toEqual([]);
      expect(running).toEqual(tree.state === 'running' ? tree.services : []);
      await tree.stop().catch(expected);
      expect([wrong, running, tree.state]).toEqual([[], [], 'stopped']);
    }),
    { numRuns: 300 },
  );
});
