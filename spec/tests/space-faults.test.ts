/** Nothing is lost and nothing is doubled: takers that abort, leave and are killed, controllers that are killed, journals that rot. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { type Client, type Cluster, cluster, connect, type Logger } from 'tutti';
import { ANY, t, tupleSpace } from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { inFolder, using } from './support/shared.ts';

const plugins = [path.resolve(import.meta.dirname, '../../dist/paradigms/index.js')];
const listen = ['tcp://127.0.0.1:0'];
/** For what takes as long as the machine takes. */
const patient = { interval: 1, timeout: 50_000 };

test('random work by many clients that abort, time out and leave: every tuple is accounted for exactly once', () => {
  const act = fc.record({
    client: fc.nat({ max: 3 }),
    act: fc.oneof(
      {
        weight: 30,
        arbitrary: fc.constantFrom(
          'out',
          'out',
          'outMany',
          'take',
          'take',
          'tryTake',
          'takeAll',
          'reserve',
          'exchange',
          'turn',
        ),
      },
      { weight: 1, arbitrary: fc.constant('leave') },
    ),
    kind: fc.constantFrom('a', 'b'),
    abort: fc.boolean(),
  });
  const property = fc.asyncProperty(fc.array(act, { minLength: 40, maxLength: 120 }), (acts) =>
    using({ engines: 0, listen }, async (home) => {
      const options = { output: 'ignore' } as const;
      const clients: Client[] = await Promise.all([0, 1, 2, 3].map(() => connect(home.connection, options)));
      const there = new Set<number>();
      const taken: number[] = [];
      /** Tuples of which those who left meanwhile cannot know whether they have got them: so many at most. */
      let doubtful = 0;
      const pending: Promise<unknown>[] = [];
      // Timeouts and aborts are as they should be: what counts is where the tuples are.
      const later = (work: Promise<unknown>): void => void pending.push(work.catch(() => {}));
      let next = 0;
      const make = (kind: string): [string, number] => {
        there.add(++next);
        return [kind, next];
      };
      const got = (...tuples: ([string, number] | undefined)[]): void => {
        for (const tuple of tuples) if (tuple) taken.push(tuple[1]);
      };
      for (const { client: which, act, kind, abort } of acts) {
        if (act === 'leave') {
          await clients[which]!.close();
          clients[which] = await connect(home.connection, options);
          continue;
        }
        if (act === 'turn') {
          await new Promise(setImmediate);
          continue;
        }
        const space = clients[which]!.use(tupleSpace<[string, number]>);
        const signal = new AbortController();
        // Some are aborted before they leave, some on their way, some when they wait, some when it is too late.
        if (abort)
          later(
            Promise.resolve()
              .then(abort && next % 2 ? undefined : () => home.status())
              .then(() => signal.abort()),
          );
        const wait = abort ? { signal: signal.signal } : { timeout: 5 + (next % 40) };
        const template = [kind, ANY] as const;
        if (act === 'out') await space.out(make(kind));
        else if (act === 'outMany') await space.outMany([make('a'), make('b'), make(kind)]);
        else if (act === 'take') later(space.take(template, wait).then(got));
        else if (act === 'tryTake') later(space.tryTake(template).then(got));
        else if (act === 'takeAll') later(space.takeAll(template, { limit: 3 }).then((all) => got(...all)));
        else if (act === 'exchange')
          later(
            space.exchange([template, [ANY, ANY]], [], wait).then(
              (all) => got(...all),
              ({ name }) => {
                if (name !== 'TimeoutError' && name !== 'AbortError') doubtful += 2;
              },
            ),
          );
        else
          later(
            space.reserve(template, 1e6, wait).then(async (held) => {
              if (abort) await held.release();
              else
                await held.complete().then(
                  () => got(held.value),
                  () => doubtful++,
                );
            }),
          );
      }
      await Promise.all(pending);
      const space = home.use(tupleSpace<[string, number]>);
      // Whoever left is gone when the last answer of all others has come.
      for (const client of clients) await client.close();
      await expect.poll(async () => (await space.info()).taken + (await space.info()).waiting, patient).toBe(0);
      const rest = (await space.readAll([ANY, ANY])).map(([, n]) => n);
      const found = new Set([...taken, ...rest]);
      expect(found.size).toBe(taken.length + rest.length);
      expect([...found].filter((n) => !there.has(n))).toEqual([]);
      const missing = [...there].filter((n) => !found.has(n));
      if (missing.length > doubtful) expect(missing).toEqual([]);
    }),
  );
  return fc.assert(property, { numRuns: 5 });
}, 120_000);

test(
  '1,000 tuples, ten takers on four engines, one engine killed every 100 ms: each is done, and none by two who live',
  () =>
    using({ engines: 4, output: 'ignore' }, async (home) => {
      const jobs = home.use(tupleSpace, { name: 'jobs' });
      await jobs.outMany(Array.from({ length: 1_000 }, (_, i) => ['job', i]));
      const killed = new Set<number>();
      let over = false;
      const work = async (id: number): Promise<void> => {
        while (!over) {
          await home
            .engine(id)
            .apply(takers, id < 2 ? 3 : 2)
            .catch(() => {}); // it was killed
          await home.restart([id]).catch(() => {});
        }
      };
      const workers = home.engines.map(({ id }) => work(id));
      // Engines take their time to start where there are few processors: some work is done between two kills.
      let before = 0;
      for (let i = 0; ; i++) {
        const done = await jobs.count(['done', ANY, ANY]);
        if ((await jobs.count(['job', ANY])) + (await jobs.info()).taken === 0) break;
        const engine = home.engines[i % 4];
        if (done >= before + 40 && engine?.state !== 'lost' && !killed.has(engine!.pid)) {
          before = done;
          killed.add(engine!.pid);
          process.kill(engine!.pid, 'SIGKILL');
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      over = true;
      await Promise.all(workers);
      const done = await jobs.readAll(['done', ANY, ANY]);
      expect(new Set(done.map(([, n]) => n)).size).toBe(1_000);
      const byTheLiving = done.filter(([, , pid]) => !killed.has(pid)).map(([, n]) => n);
      expect(new Set(byTheLiving).size).toBe(byTheLiving.length);
      expect(killed.size).toBeGreaterThan(2);
      expect(await jobs.info()).toMatchObject({ taken: 0, waiting: 0 });
      expect(await jobs.count(['job', ANY])).toBe(0);
    }),
  120_000,
);

/** On the engine, where these are globals. */
declare const space: (name: string) => any;

async function takers(loops: number): Promise<void> {
  const jobs = space('jobs');
  const loop = async (): Promise<void> => {
    for await (const [, n] of jobs.consume(['job', ANY], { idle: 300 })) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      // One that is killed behind this line has done it, and another will do it again.
      await jobs.out(['done', n, process.pid]);
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
}

test('a client that dies gives back what it was sent, and waits for nothing', () =>
  using({ engines: 0, listen }, async (home) => {
    const space = home.use(tupleSpace);
    const guest = await connect(home.connection, { output: 'ignore' });
    const there = guest.use(tupleSpace);
    await space.outMany([
      ['x', 1],
      ['x', 2],
    ]);
    const held = await there.reserve(['x', ANY]);
    const waiting = Promise.allSettled([there.take(['y']), there.exchange([['x', 2], ['y']], [])]);
    expect(await space.readAll(['x', ANY])).toEqual([['x', 2]]);
    await guest.close();
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(held.complete()).rejects.toMatchObject({ code: 'SESSION_LOST' });
    await expect
      .poll(() => space.readAll(['x', ANY]))
      .toEqual([
        ['x', 1],
        ['x', 2],
      ]);
    expect(await space.info()).toMatchObject({ taken: 0, waiting: 0 });
  }));

test('what a task on an engine waits for ends with the task', () =>
  using({ engines: 1, kind: 'thread' }, async (home) => {
    const space = home.use(tupleSpace);
    const call = home.engine(0).execute("await space.take(['never'])");
    await expect.poll(async () => (await space.info()).waiting).toBe(1);
    await call.cancel();
    await expect(call).rejects.toThrow();
    await expect.poll(async () => (await space.info()).waiting).toBe(0);
  }));

const durably = (folder: string, more = {}): Promise<Cluster> =>
  cluster({ engines: 0, durable: folder, controller: 'process', plugins, output: 'ignore', ...more });

test('kill -9 of the controller in the middle of 100,000 outs: all that were acknowledged are there', () =>
  inFolder(async (folder) => {
    const before = await durably(folder);
    const space = before.use(tupleSpace, { durable: true });
    const acknowledged: number[] = [];
    const outs: Promise<unknown>[] = [];
    for (let i = 0; i < 100_000; i++) {
      outs.push(
        space.out(['n', i]).then(
          () => acknowledged.push(i),
          () => {},
        ),
      );
      if (i % 1_000 === 0 && i <= 40_000) await Promise.all(outs);
      if (i === 60_000) await new Promise(setImmediate); // some are on their way, some will be
      if (i === 60_000) process.kill(before.connection.pid!, 'SIGKILL');
    }
    expect(acknowledged.length).toBeGreaterThan(40_000);
    await Promise.all(outs);
    await before.close().catch(() => {});
    expect(acknowledged.length).toBeLessThan(100_000);
    const after = await durably(folder);
    try {
      const there = new Set((await after.use(tupleSpace).readAll(['n', ANY])).map(([, n]) => n));
      expect(acknowledged.filter((n) => !there.has(n))).toEqual([]);
    } finally {
      await after.close();
    }
  }));

test('kill -9 in the middle of takes: what nobody has is there', () =>
  inFolder(async (folder) => {
    const before = await durably(folder);
    const space = before.use(tupleSpace, { durable: true });
    await space.outMany(Array.from({ length: 20_000 }, (_, i) => ['n', i]));
    const taken = new Set<number>();
    const takes = Array.from({ length: 20_000 }, () => space.take(['n', ANY]).then(([, n]) => taken.add(n)));
    const settled = Promise.allSettled(takes);
    await expect.poll(() => taken.size, patient).toBeGreaterThan(500);
    process.kill(before.connection.pid!, 'SIGKILL');
    await settled;
    await before.close().catch(() => {});
    const after = await durably(folder);
    try {
      const again = after.use(tupleSpace, { durable: true });
      const there = new Set((await again.readAll(['n', ANY])).map(([, n]) => n));
      for (let n = 0; n < 20_000; n++) expect(taken.has(n) || there.has(n)).toBe(true);
      // The numbers go on, and so does the order.
      await again.out(['n', -1]);
      expect((await again.readAll(['n', ANY])).at(-1)).toEqual(['n', -1]);
    } finally {
      await after.close();
    }
  }));

test('a space comes back as it was: order, bound, leases, values of all kinds', () =>
  inFolder(async (folder) => {
    const values = [1n, undefined, null, Number.NaN, { a: [1] }, new Map([[1, new Uint8Array(9_000)]]), 'ä'];
    await using({ engines: 0, durable: folder }, async (home) => {
      const space = home.use(tupleSpace, { name: 'of values', durable: true, order: 'lifo', bound: 20 });
      for (const [i, value] of values.entries()) await space.out(['v', i, value]);
      await space.out({ record: true, value: new Date(7) });
      await space.out(['brief'], { lease: 1 });
      await space.out(['long'], { lease: 1e8 });
      await space.out(['taken']);
      await space.take(['taken']);
      const other = home.use(tupleSpace, { name: 'other', durable: true });
      expect(await space.collect(['v', 0, ANY], other)).toBe(1);
      const doomed = home.use(tupleSpace, { name: 'doomed', durable: true });
      await doomed.out(['x']);
      await doomed.destroy();
    });
    await using({ engines: 0, durable: folder }, async (home) => {
      const any = home.use(tupleSpace);
      expect((await any.list()).map(({ name }) => name).toSorted()).toEqual(['of values', 'other']);
      const space = home.use(tupleSpace, { name: 'of values', create: false });
      expect(await space.readAll(['v', ANY, ANY])).toEqual(values.map((value, i) => ['v', i, value]).slice(1));
      expect(await space.take(['v', t.range(0, 100), ANY])).toEqual(['v', values.length - 1, 'ä']);
      expect(await space.read({ record: true })).toEqual({ record: true, value: new Date(7) });
      expect(await space.count(['brief'])).toBe(0);
      expect(await space.count(['long'])).toBe(1);
      expect(await space.info()).toMatchObject({ order: 'lifo', bound: 20, durable: true, tuples: 7 });
      expect(await home.use(tupleSpace, { name: 'other' }).readAll(['v', ANY, ANY])).toEqual([['v', 0, 1n]]);
      await expect(home.use(tupleSpace, { name: 'of values', order: 'fifo' }).count([])).rejects.toMatchObject({
        code: 'SPACE',
        message: expect.stringMatching(/is there with order: lifo, not fifo/),
      });
    });
  }));

test('tuples whose journal entry is damaged are told of by its place and their number, and the others are there', () =>
  inFolder(async (folder) => {
    await using({ engines: 0, durable: folder }, async (home) => {
      const space = home.use(tupleSpace, { durable: true });
      for (let i = 0; i < 4; i++)
        await space.outMany(Array.from({ length: 10 }, (_, k) => ['n', 10 * i + k, i ? `rots ${i}` : 'sound']));
      await space.out(['n', 40, 'rots 4']);
      await space.out(['n', 41, 'sound']);
      for (const n of [5, 15, 35]) await space.take(['n', n, ANY]);
    });
    const file = path.join(folder, 'data.mdb');
    const bytes = readFileSync(file);
    for (const rots of ['rots 1', 'rots 2', 'rots 4'])
      for (let at = bytes.indexOf(rots); at >= 0; at = bytes.indexOf(rots, at + 1)) bytes.write('lost', at);
    writeFileSync(file, bytes);
    const said: string[] = [];
    const quiet = (): void => {};
    const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: (message) => said.push(message) };
    const sound = Array.from({ length: 42 }, (_, n) => n).filter((n) => n < 10 || (n >= 30 && n !== 40));
    await using({ engines: 0, durable: folder, log }, async (home) => {
      const there = (await home.use(tupleSpace).readAll(['n', ANY, ANY])).map(([, n]) => n);
      expect(there).toEqual(sound.filter((n) => n !== 5 && n !== 35));
    });
    expect(said).toEqual([
      expect.stringMatching(/^Space 'default': 9 tuples of it are lost: .* at "tuple\/1\/[a-z\d]{11}\+a"/),
      expect.stringMatching(/^Space 'default': up to 10 tuples of it are lost: .* at "tuple\/1\/[a-z\d]{11}\+a"/),
      expect.stringMatching(/^Space 'default': a tuple of it is lost: .* at "tuple\/1\/[a-z\d]{11}\+1"/),
    ]);
  }));

test('two processes cannot have one journal, and a cluster that keeps nothing has no durable spaces', () =>
  inFolder((folder) =>
    using({ engines: 0, durable: folder }, async (home) => {
      await home.use(tupleSpace, { durable: true }).out(['x']);
      await expect(durably(folder)).rejects.toMatchObject({ message: expect.stringMatching(/in use by.*process/) });
      await using({ engines: 0 }, (other) =>
        expect(other.use(tupleSpace, { durable: true }).out(['x'])).rejects.toMatchObject({
          code: 'SPACE',
          message: expect.stringMatching(/--durable FOLDER/),
        }),
      );
    }),
  ));

test('a space that is not there, and was not to be made', () =>
  using({ engines: 0 }, async (home) => {
    await home.use(tupleSpace, { name: 'some' }).out(['x']);
    const none = home.use(tupleSpace, { name: 'none', create: false });
    for (const use of [none.count(['x']), none.take(['x']), none.out(['x'])])
      await expect(use).rejects.toMatchObject({
        code: 'SPACE_NOT_FOUND',
        message: "There is no space 'none'; spaces here: some",
      });
    const wrong = home.use(tupleSpace, { name: '', order: 'any' as 'fifo' });
    await expect(wrong.count(['x'])).rejects.toMatchObject({ code: 'USAGE' });
  }));
