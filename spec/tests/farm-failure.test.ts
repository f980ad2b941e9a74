/** What goes wrong in a farm, and what it does about it. */
import { readFileSync } from 'node:fs';
import { DependencyError, EngineLostError, LimitError, type RemoteError, TimeoutError } from 'tutti';
import { TaskKillsEnginesError } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { eventually, farming, outcome } from './support/farm.ts';
import { inFolder } from './support/shared.ts';

/** Fails until it has been run so often, which a file counts. */
const failsUntil = (file: string, runs: number): number => {
  const fs = process.getBuiltinModule('node:fs');
  fs.appendFileSync(file, 'x');
  const { length } = fs.readFileSync(file, 'utf8');
  if (length < runs) throw new Error(`run ${length}`);
  return (globalThis as any).task.attempt;
};

describe('resultLimit', () => {
  test('refuses larger results, of one task and of each item, and runs them once', () =>
    inFolder((folder) =>
      farming(async (farm) => {
        const made = (bytes: number, log: string): string => {
          process.getBuiltinModule('node:fs').appendFileSync(log, `${bytes}\n`);
          return 'x'.repeat(bytes);
        };
        const log = `${folder}/log`;
        const limited = farm.with({ resultLimit: 10_000, attempts: 3 });
        expect(await limited.submit(made, 9_000, log)).toHaveLength(9_000);
        const error = await outcome(limited.submit(made, 20_000, log));
        expect(error).toBeInstanceOf(LimitError);
        expect(error).toMatchObject({ limit: 'resultLimit', max: 10_000, message: /made takes 20,0\d\d bytes/ });
        // One that would stay on its engine, too.
        expect(await outcome(limited.submit(made, 3_000_000, log))).toBeInstanceOf(LimitError);
        const outcomes = await limited.settle([1_000, 11_000, 2_000], (bytes) => made(bytes, log));
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(readFileSync(log, 'utf8').match(/^(20000|3000000|11000)$/gm)).toHaveLength(3);
        expect(() => farm.with({ resultLimit: 0 })).toThrow('bytes from 1 on');
      }),
    ));
});

describe.each(['thread', 'process'] as const)('large values, %s engines', (kind) => {
  test('are whole in every run and for every reader, whatever else is sent meanwhile', () =>
    farming(
      async (farm, c) => {
        const text = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(20_000 + 150_000 * i);
        const captured = text(12);
        const look = (text: string, i: number): [string, string, string] => {
          const { task } = globalThis as any;
          if (i >= 0 && task.attempt < 3) throw new Error('once more');
          return [`${text.length} ${text[0]} ${text.at(-1)}`, captured.slice(-9), text];
        };
        const expected = (text: string) => [`${text.length} ${text[0]} ${text.at(-1)}`, captured.slice(-9), text];
        const tasks = Array.from({ length: 12 }, (_, i) => farm.with({ attempts: 3 }).submit(look, text(i), i));
        const others = Array.from({ length: 8 }, (_, i) => c.all.apply((text: string) => text, text(i)));
        const made = farm.submit((n: number) => 'm'.repeat(n), 700_000);
        const readers = [0, 1, 2].map(() => farm.submit((text: string) => [text.length, text[0], text.at(-1)], made));
        for (const [i, task] of tasks.entries()) expect(await task).toEqual(expected(text(i)));
        for (const [i, other] of others.entries()) expect(await other).toEqual([text(i), text(i)]);
        for (const reader of readers) expect(await reader).toEqual([700_000, 'm', 'm']);
        expect(await made).toBe('m'.repeat(700_000));
        const mapped = await farm.map(
          Array.from({ length: 40 }, (_, i) => text(i % 5)),
          (text: string) => text,
        );
        expect(mapped).toEqual(Array.from({ length: 40 }, (_, i) => text(i % 5)));
      },
      { kind },
    ));
});

describe('attempts', () => {
  test('are runs in all, with the number of each told', () =>
    inFolder((folder) =>
      farming(async (farm) => {
        expect(await farm.with({ attempts: 3 }).submit(failsUntil, `${folder}/a`, 3)).toBe(3);
        const error = await outcome(farm.with({ attempts: 2 }).submit(failsUntil, `${folder}/b`, 3));
        expect(error).toMatchObject({ message: 'run 2' });
        expect(await outcome(farm.submit(failsUntil, `${folder}/c`, 2))).toMatchObject({ message: 'run 1' });
      }),
    ));

  test('backoff waits between them, retryIf decides on them', () =>
    inFolder((folder) =>
      farming(async (farm) => {
        const began = performance.now();
        const slow = farm.with({ attempts: 3, backoff: { first: 40, factor: 2 } });
        await slow.submit(failsUntil, `${folder}/a`, 3);
        expect(performance.now() - began).toBeGreaterThan(0.75 * (40 + 80) - 5);
        const picky = farm.with({
          attempts: 5,
          retryIf: (error: Error, runs) => error.message === 'run 1' && runs < 3,
        });
        expect(await outcome(picky.submit(failsUntil, `${folder}/b`, 9))).toMatchObject({ message: 'run 2' });
      }),
    ));

  test('another engine comes first', () =>
    farming(
      async (farm) => {
        const fussy = () => {
          const { engine, task } = globalThis as any;
          if (task.attempt < 3) throw new Error('not here');
          return engine.id;
        };
        const events: number[] = [];
        const subscription = farm.events$.subscribe(({ type, engine }) => type === 'started' && events.push(engine!));
        await farm.with({ attempts: 3 }).submit(fussy);
        await eventually(() => events.length).toBe(3);
        expect(new Set(events).size).toBe(3);
        subscription.unsubscribe();
      },
      { engines: 3 },
    ));
});

describe('time', () => {
  test('timeout: a function that waits, a loop, and the next attempt', () =>
    farming(
      async (farm) => {
        const short = farm.with({ timeout: 100 });
        const waits = short.submit(() => new Promise<never>(() => {}));
        const loops = short.submit(() => {
          for (;;);
        });
        expect(await outcome(waits)).toBeInstanceOf(TimeoutError);
        expect(await outcome(loops)).toBeInstanceOf(TimeoutError);
        const second = farm.with({ timeout: 200, attempts: 2 }).submit(() => {
          const { task } = globalThis as any;
          if (task.attempt === 1) for (;;);
          return task.attempt;
        });
        expect(await second).toBe(2);
        expect(await short.submit(() => 'fine')).toBe('fine');
      },
      { kind: 'process' },
    ));

  test('deadline counts waiting, too', () =>
    farming(
      async (farm) => {
        const blocker = farm.submit(() => new Promise<never>(() => {}));
        const late = farm.with({ deadline: 100, label: 'late' }).submit(() => 1);
        const error = (await outcome(late)) as Error;
        expect(error).toBeInstanceOf(TimeoutError);
        expect(error.message).toMatch(/late.*deadline.*had not begun/);
        await blocker.cancel();
        await outcome(blocker);
        expect(await outcome(farm.with({ deadline: 100 }).submit(() => new Promise(() => {})))).toBeInstanceOf(
          TimeoutError,
        );
        expect(await farm.submit(() => 2)).toBe(2);
      },
      { engines: 1 },
    ));
});

describe('engines', () => {
  test(
    'bodies that do their worst fail alone',
    () =>
      farming(
        async (farm) => {
          const good = Array.from({ length: 50 }, (_, i) => farm.submit((x: number) => x * 2, i));
          const bad = {
            endless: farm.with({ timeout: 300 }).submit(() => {
              for (;;);
            }),
            throws: farm.submit(() => {
              throw new TypeError('no');
            }),
            exits: farm.submit(() => process.exit(7)),
            memory: farm.submit(() => {
              const all: unknown[] = [];
              for (;;) all.push(new Array(1e6).fill(all.length));
            }),
            travels: farm.submit(() => process.stdout as never),
          };
          // Looked at from now on.
          const fates = Object.fromEntries(Object.entries(bad).map(([name, result]) => [name, outcome(result)]));
          const more = Array.from({ length: 50 }, (_, i) => farm.submit((x: number) => x * 3, i));
          expect(await Promise.all(good)).toEqual(good.map((_, i) => i * 2));
          expect(await Promise.all(more)).toEqual(more.map((_, i) => i * 3));
          expect(await fates.endless).toBeInstanceOf(TimeoutError);
          expect(await fates.throws).toMatchObject({ name: 'TypeError' });
          expect(await fates.travels).toMatchObject({ name: 'CannotTravelError' });
          for (const killer of [fates.exits, fates.memory]) {
            const error = (await killer) as TaskKillsEnginesError;
            expect(error).toBeInstanceOf(TaskKillsEnginesError);
            expect(error.engines.length).toBeGreaterThanOrEqual(3);
          }
          expect(await farm.submit(() => 'alive')).toBe('alive');
        },
        { kind: 'process', env: { NODE_OPTIONS: '--max-old-space-size=96' } },
      ),
    120_000,
  );

  test('lost with an engine, a task runs elsewhere; view calls are not so lucky', () =>
    farming(
      async (farm, c) => {
        const slow = () =>
          new Promise<number>((resolve) => setTimeout(() => resolve((globalThis as any).task.attempt), 300));
        const tasks = Array.from({ length: 4 }, () => farm.submit(slow));
        await eventually(async () => (await farm.stats()).running).toBeGreaterThan(1);
        process.kill(c.engines[0]!.pid, 'SIGKILL');
        const attempts = await Promise.all(tasks);
        expect(attempts).toContain(2);
        const call = c.engine(1).apply(() => new Promise(() => {}));
        process.kill(c.engines[1]!.pid, 'SIGKILL');
        expect(await outcome(call)).toBeInstanceOf(EngineLostError);
      },
      { kind: 'process' },
    ));

  test('a value that went down with its engine is made again', () =>
    farming(
      async (farm, c) => {
        const make = () => new Uint8Array(200_000).fill(5);
        const big = farm.submit(make);
        const size = farm.submit((bytes: Uint8Array) => bytes.length, big);
        expect(await size).toBe(200_000);
        process.kill(c.engines.find(({ id }) => id === big.targets[0])!.pid, 'SIGKILL');
        await eventually(() => c.engines.find(({ id }) => id === big.targets[0])!.incarnation).toBe(2);
        expect(await farm.submit((bytes: Uint8Array) => bytes[0], big)).toBe(5);
        expect((await big).length).toBe(200_000);
      },
      { kind: 'process' },
    ));

  test('hedge: a second copy overtakes a straggler', () =>
    inFolder((folder) =>
      farming(async (farm) => {
        const maybe = (file: string | undefined) => {
          const fs = process.getBuiltinModule('node:fs');
          const straggles = file !== undefined && !fs.existsSync(file);
          if (straggles) fs.writeFileSync(file, '');
          return new Promise((resolve) => setTimeout(() => resolve('done'), straggles ? 3_600_000 : 5));
        };
        const hedged = farm.with({ hedge: true });
        await Promise.all(Array.from({ length: 10 }, () => hedged.submit(maybe, undefined)));
        expect(await hedged.submit(maybe, `${folder}/x`)).toBe('done');
      }),
    ));
});

describe('dependencies', () => {
  test('a failure reaches all that depend on it at once, naming the root; others go on', () =>
    farming(async (farm) => {
      const root = farm.with({ label: 'root' }).submit(() => {
        throw new RangeError('rotten');
      });
      const child = farm.submit((x: unknown) => x, root);
      const grandchild = farm.submit((x: { deep: unknown[] }) => x, { deep: [child] });
      const after = farm.with({ after: [grandchild] }).submit(() => 1);
      const sibling = farm.submit(() => 'fine');
      for (const victim of [child, grandchild, after]) {
        const error = (await outcome(victim)) as DependencyError & { cause: RemoteError };
        expect(error).toBeInstanceOf(DependencyError);
        expect(error.message).toContain(root.id);
        expect(error.cause).toMatchObject({ name: 'RangeError', message: 'rotten' });
      }
      expect(await sibling).toBe('fine');
      expect(await outcome(farm.submit((x: unknown) => x, root))).toBeInstanceOf(DependencyError);
      expect(await outcome(farm.with({ after: root }).submit(() => 1))).toBeInstanceOf(DependencyError);
    }));

  test('after, follow, ids, and results of views', () =>
    farming(async (farm, c) => {
      const where = () => (globalThis as any).engine.id as number;
      const slow = farm.submit(() => new Promise<number>((resolve) => setTimeout(() => resolve(Date.now()), 50)));
      const later = farm.with({ after: slow }).submit(() => Date.now());
      expect(await later).toBeGreaterThanOrEqual(await slow);
      const first = farm.submit(where);
      const followers = await Promise.all(Array.from({ length: 5 }, () => farm.with({ follow: first }).submit(where)));
      expect(new Set(followers)).toEqual(new Set([await first]));
      const running = farm.submit(() => new Promise<void>((resolve) => setTimeout(resolve, 50)));
      await farm.with({ after: running.id }).submit(() => 1);
      expect(running.status).toBe('done');
      expect(await outcome(farm.with({ after: '1.99999' }).submit(() => 1))).toBeInstanceOf(DependencyError);
      const view = c.all.apply(() => new Promise<number>((resolve) => setTimeout(() => resolve(7), 20)));
      expect(await farm.submit((xs: number[]) => xs[0]! + xs[1]!, view)).toBe(14);
      expect(
        await c.all.apply(
          (x: number) => x + 1,
          farm.submit(() => 1),
        ),
      ).toEqual([2, 2]);
      const lost = c.engine(0).apply(() => {
        throw new Error('view');
      });
      expect(await outcome(farm.submit((x: unknown) => x, lost))).toBeInstanceOf(DependencyError);
    }));

  test('a long chain, a diamond, and values from engine to engine', () =>
    farming(async (farm, c) => {
      let last = farm.submit(() => 0);
      for (let i = 0; i < 500; i++) last = farm.submit((x: number) => x + 1, last);
      expect(await last).toBe(500);
      const top = farm.submit(() => new Float64Array(50_000).fill(1));
      const sides = [1, 2].map((k) => farm.submit((xs: Float64Array, by: number) => xs.map((x) => x * by), top, k));
      const before = c.traffic.received;
      const sum = await farm.submit((a: Float64Array, b: Float64Array) => a[0]! + b[0]!, sides[0]!, sides[1]!);
      expect(sum).toBe(3);
      expect(c.traffic.received - before).toBeLessThan(50_000);
    }));

  test.each([false, true])('a graph of tasks gives the serial answer (engines killed: %s)', (kill) =>
    farming(
      async (farm, c) => {
        const [layers, width] = [40, 50];
        const random = mulberry(7);
        const add = (...xs: number[]) => xs.reduce((sum, x) => (sum + x) % 1_000_003, 1);
        let values = Array.from({ length: width }, (_, i) => i);
        let results: any[] = values.map((v) => farm.submit((x: number) => x, v));
        let over = false;
        const killing = (async () => {
          for (let n = 0; kill && !over; n++) {
            await new Promise((resolve) => setTimeout(resolve, 1_000));
            const there = c.engines.filter(({ state }) => state === 'alive' || state === 'busy');
            const victim = there[n % there.length];
            if (!over && there.length > 1 && victim) process.kill(victim.pid, 'SIGKILL');
          }
        })();
        for (let layer = 1; layer < layers; layer++) {
          const edges = values.map(() =>
            Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * width)),
          );
          const [before, made] = [values, results];
          values = edges.map((from) => add(...from.map((i) => before[i]!)));
          results = edges.map((from) => farm.submit(add, ...from.map((i) => made[i])));
        }
        expect(await Promise.all(results)).toEqual(values);
        over = true;
        await killing;
      },
      { kind: kill ? 'process' : 'thread' },
    ),
  );

  test('a graph of large values, which stay on their engines, goes on as long as there is something to do', () =>
    farming(
      async (farm) => {
        const [layers, width] = [20, 40];
        const random = mulberry(11);
        const add = (...xs: Float64Array[]) =>
          new Float64Array(12_000).fill(xs.reduce((sum, x) => (sum + x[0]!) % 1_000_003, 1));
        let values = Array.from({ length: width }, (_, i) => add(new Float64Array([i]))[0]!);
        let results: any[] = values.map((_, i) => farm.submit(add, new Float64Array([i])));
        const sums: any[] = [];
        for (let layer = 1; layer < layers; layer++) {
          const edges = values.map(() => Array.from({ length: 3 }, () => Math.floor(random() * width)));
          const [before, made] = [values, results];
          values = edges.map((from) => from.reduce((sum, i) => (sum + before[i]!) % 1_000_003, 1));
          results = edges.map((from) => farm.submit(add, ...from.map((i) => made[i])));
        }
        for (const result of results) sums.push(farm.submit((x: Float64Array) => x[0], result));
        expect(await Promise.all(sums)).toEqual(values);
      },
      { kind: 'process' },
    ));
});

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
