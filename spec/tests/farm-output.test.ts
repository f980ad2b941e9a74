/** What tasks of a farm print and send: it takes another way than their results, and comes first all the same. */
import type { Cluster } from 'tutti';
import type { Farm } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { farming } from './support/farm.ts';

const prints = (n: number): number => {
  console.log(`line ${n} begins`);
  process.stdout.write(`line ${n} ends\n`);
  return n;
};
const printsLater = async (n: number): Promise<number> => {
  console.log(`line ${n} begins`);
  await null;
  if (n % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  console.log(`line ${n} ends`);
  return n;
};

/** What a cluster's output has brought so far. */
class Seen {
  readonly lines = new Map<string, number>();
  readonly show = (printed: { lines: readonly string[] }): void => {
    for (const line of printed.lines) this.lines.set(line, (this.lines.get(line) ?? 0) + 1);
  };

  /** Of its two lines, how many are not there. */
  missing(n: number): number {
    return [`line ${n} begins`, `line ${n} ends`].filter((line) => !this.lines.has(line)).length;
  }
}

/** How many lines were missing when results came, one of each task and all of a map. */
async function missingLines(farm: Farm, seen: Seen, task: typeof prints | typeof printsLater): Promise<number> {
  let missing = 0;
  const results = Array.from({ length: 3_000 }, (_, n) =>
    farm.submit(task as typeof prints, n).addCallback(() => void (missing += seen.missing(n))),
  );
  await Promise.all(results);
  const items = Array.from({ length: 3_000 }, (_, i) => 10_000 + i);
  for await (const n of farm.map(items, task as typeof prints)) missing += seen.missing(n as number);
  return missing;
}

describe.each(['thread', 'process'] as const)('with %s engines', (kind) => {
  test.each([
    ['synchronous', prints],
    ['asynchronous', printsLater],
  ] as const)('all that %s tasks print is here when their results are, once', async (_, task) => {
    const seen = new Seen();
    await farming(async (farm) => expect(await missingLines(farm, seen, task)).toBe(0), { kind, output: seen.show });
    expect(seen.lines.size).toBe(12_000);
    expect(new Set(seen.lines.values())).toEqual(new Set([1]));
  });

  test('so is what comes by stdout$, messages$ and progress$ of a result', () =>
    farming(
      async (farm) => {
        const talks = (n: number): void => {
          const { task } = globalThis as any;
          for (let i = 0; i < 3; i++) {
            console.log(`out ${n}`);
            task.send(n);
            task.progress(i, n);
          }
        };
        for (let round = 0; round < 300; round++) {
          const results = [round, round + 0.5].map((n) => {
            const got = { out: '', messages: 0, done: -1 };
            const result = farm.submit(talks, n);
            result.stdout$.subscribe(({ text }) => (got.out += text));
            result.messages$.subscribe(({ value }) => (got.messages += Number(value === n)));
            result.progress$.subscribe(({ done }) => (got.done = done));
            return result.addCallback(() => expect(got).toEqual({ out: `out ${n}\n`.repeat(3), messages: 3, done: 2 }));
          });
          await Promise.all(results);
        }
      },
      { kind },
    ));

  test('more than fits into what is shared with the supervisor comes first, too', () => {
    let bytes = 0;
    const count = (printed: { lines: readonly string[] }): void => {
      for (const line of printed.lines) bytes += line.length + 1;
    };
    return farming(
      async (farm) => {
        const floods = (lines: number): void => {
          for (let i = 0; i < lines; i++) console.log('x'.repeat(999));
        };
        for (let round = 1; round <= 3; round++) {
          await farm.submit(floods, 5_000);
          expect(bytes).toBe(round * 5_000_000);
        }
      },
      { kind, output: count },
    );
  });

  test('what prints nothing does not wait for what prints', () =>
    farming(
      async (farm) => {
        const order: string[] = [];
        let heard = (): void => {};
        const begun = new Promise<void>((resolve) => (heard = resolve));
        const loud = farm.submit(async () => {
          const { task } = globalThis as any;
          while (task.poll() === undefined) {
            console.log('x'.repeat(10_000));
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        });
        loud.stdout$.subscribe(() => heard());
        await begun;
        await farm.submit(() => 1).addCallback(() => order.push('quiet'));
        await loud.send('enough');
        await loud.addCallback(() => order.push('loud'));
        expect(order).toEqual(['quiet', 'loud']);
      },
      { kind, engines: 1, farm: { concurrency: 2 }, output: 'ignore' },
    ));
});

test('an engine that is killed takes no printed line of a result with it, and no result', async () => {
  const seen = new Seen();
  await farming(
    async (farm, c) => {
      let missing = 0;
      let kills = 0;
      for (let from = 0; kills < 12; from += 400) {
        const results = Array.from({ length: 400 }, (_, i) =>
          farm.submit(prints, from + i).addCallback(() => void (missing += seen.missing(from + i))),
        );
        // In the middle of it.
        await results[100];
        kills += kill(c);
        await Promise.all(results);
      }
      expect(missing).toBe(0);
    },
    { kind: 'process', output: seen.show },
  );
});

/** One engine, if there is one to kill. */
function kill(c: Cluster): number {
  const victim = c.engines.find(({ state }) => state === 'alive');
  if (!victim) return 0;
  process.kill(victim.pid, 'SIGKILL');
  return 1;
}
