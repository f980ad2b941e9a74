/** The task farm: submitting, scheduling, stopping. */
import {
  CancelledError,
  connect,
  defineParadigm,
  InterruptedError,
  ParadigmError,
  RemoteError,
  ref,
  UsageError,
} from 'tutti';
import { task } from 'tutti/engine';
import { FarmClosedError, type FarmEvent, taskFarm, UnsatisfiableError } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { first } from './support/conditions.ts';
import { eventually, farming, outcome } from './support/farm.ts';
import { openGate, pass } from './support/gate.ts';

const forever = (): Promise<never> => new Promise(() => {});

describe('submit', () => {
  test('gives results like those of views', () =>
    farming(async (farm, c) => {
      const sum = farm.submit((a: number, b: number) => a + b, 40, 2);
      expect(sum.status).toBe('pending');
      expect(await sum).toBe(42);
      expect(sum.status).toBe('done');
      expect(sum.id).toMatch(/^\d+\.\d+$/);
      expect(c.engines.map(({ id }) => id)).toContain(sum.targets[0]);
      expect(await sum.addCallback((v) => v + 1)).toBe(43);
      expect(await sum.settled()).toEqual([{ engine: sum.targets[0], status: 'fulfilled', value: 42 }]);
    }));

  test('rejects, and so do maps, where the controller has another farm', () =>
    farming(
      async (_, c) => {
        const guest = await connect(c.name, { output: 'ignore' });
        const { definition } = taskFarm;
        const other = guest.use(defineParadigm({ ...definition, version: '0.0.1' }));
        const results = [other.submit(() => 1), other.map([1, 2, 3], (x: number) => x), other.submit(() => 2)];
        for (const result of results) expect(await outcome(result)).toBeInstanceOf(ParadigmError);
        expect(await outcome(Promise.resolve().then(() => other.submit(() => 3)))).toBeInstanceOf(ParadigmError);
        await guest.close();
      },
      { controller: 'process', name: 'another-farm' },
    ));

  test('errors keep what they are, and say where they were thrown', () =>
    farming(async (farm) => {
      const bad = farm.submit(() => {
        throw Object.assign(new RangeError('too far'), { limit: 3 });
      });
      const error = (await outcome(bad)) as RemoteError & { limit: number };
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ name: 'RangeError', message: 'too far', limit: 3, task: bad.id });
      expect(error.engine).toBe(bad.targets[0]);
    }));

  test('captured variables are read at each submit, by wrap once', () =>
    farming(async (farm) => {
      let k = 1;
      const f = () => k;
      const snapshot = farm.wrap(f);
      const before = farm.submit(f);
      k = 2;
      expect(await Promise.all([before, farm.submit(f), snapshot()])).toEqual([1, 2, 1]);
    }));

  test('a wrapped function that was disposed of ends what it has begun, and begins no more', () =>
    farming(async (farm) => {
      let k = 1;
      const wrapped = farm.wrap(() => k);
      k = 2;
      const begun = wrapped();
      wrapped[Symbol.dispose]();
      wrapped[Symbol.dispose]();
      expect(await begun).toBe(1);
      expect(await outcome(wrapped())).toBeInstanceOf(UsageError);
    }));

  test('names of the namespace, task and engine are there', () =>
    farming(async (farm, c) => {
      await c.all.push({ offset: 10 });
      await c.all.execute('const plus = (x) => x + offset');
      expect(await farm.submit(ref<(x: number) => number>('plus'), 1)).toBe(11);
      const who = farm.submit(() => [(globalThis as any).task.id, (globalThis as any).task.attempt]);
      expect(await who).toEqual([who.id, 1]);
    }));

  test('what cannot be is an error of its own', () =>
    farming(async (farm) => {
      expect(await outcome(farm.submit(5 as never))).toBeInstanceOf(UsageError);
      expect(await outcome(farm.submit(Math.max as never, Symbol('x') as never))).toMatchObject({
        code: 'CANNOT_TRAVEL',
      });
      const bound = function (this: number) {
        return this;
      }.bind(5);
      expect(await outcome(farm.submit(bound))).toMatchObject({ code: 'CANNOT_TRAVEL' });
      expect(await outcome(farm.submit(() => Symbol('y') as never))).toMatchObject({ name: 'CannotTravelError' });
      for (const options of [
        { attempts: 0 },
        { attempts: 1.5 },
        { timeout: -1 },
        { deadline: 0 },
        { needs: [] },
        { targets: [] },
        { priority: 'high' },
        { retries: 2 },
        { backoff: -5 },
      ])
        expect(() => farm.with(options as never)).toThrow(UsageError);
      expect(await farm.submit(() => 'still')).toBe('still');
    }));
});

describe('scheduling', () => {
  test('higher priorities go first, and those of one priority in their order; priorities change while they wait', () =>
    farming(
      async (farm, c) => {
        await c.all.execute('globalThis.order = []');
        const gate = farm.submit(forever);
        await eventually(async () => (await farm.explain(gate)).state).toBe('running');
        const note = (name: string) => void (globalThis as any).order.push(name);
        const low = farm.with({ priority: -1 });
        const high = farm.with({ priority: 5 });
        const moved = low.submit(note, 'moved');
        const all = [
          low.submit(note, 'low'),
          farm.submit(note, 'a'),
          farm.submit(note, 'b'),
          high.submit(note, 'high'),
        ];
        expect(await farm.prioritize(moved, 9)).toBe(true);
        await gate.interrupt();
        await outcome(gate);
        await Promise.all([...all, moved]);
        expect(await c.engine(0).execute('order')).toEqual(['moved', 'high', 'a', 'b', 'low']);
      },
      { engines: 1 },
    ));

  test('targets and keys', () =>
    farming(
      async (farm, c) => {
        const at = () => (globalThis as any).engine.id as number;
        const pinned = farm.with({ targets: [2] });
        expect(new Set(await Promise.all(Array.from({ length: 20 }, () => pinned.submit(at))))).toEqual(new Set([2]));
        const picked = farm.with({ targets: ({ id }) => id === 1 });
        expect(await picked.submit(at)).toBe(1);
        for (const key of ['a', 'b', 'c']) {
          const engines = await Promise.all(Array.from({ length: 10 }, () => farm.with({ key }).submit(at)));
          expect(new Set(engines).size).toBe(1);
        }
        expect(await outcome(farm.with({ targets: [77] }).submit(at))).toBeInstanceOf(UnsatisfiableError);
        expect(c.engines).toHaveLength(3);
      },
      { engines: 3 },
    ));

  test('resources: as many at a time as there are, and what nobody has is refused', () =>
    farming(
      async (farm) => {
        const use = async () => {
          const world = globalThis as any;
          world.now = (world.now ?? 0) + 1;
          world.most = Math.max(world.most ?? 0, world.now);
          await new Promise((resolve) => setTimeout(resolve, 5));
          world.now--;
          return [world.engine.id, world.most];
        };
        const both = await Promise.all(Array.from({ length: 8 }, () => farm.with({ needs: { gpu: 1 } }).submit(use)));
        expect(Math.max(...both.map(([, most]) => most))).toBe(2);
        const error = await outcome(farm.with({ needs: { gpu: 3 } }).submit(use));
        expect(error).toBeInstanceOf(UnsatisfiableError);
        expect((error as Error).message).toContain('TUTTI_RESOURCES');
      },
      { kind: 'process', engines: 1, env: { TUTTI_RESOURCES: 'gpu=2' }, farm: { concurrency: 4 } },
    ));

  test.each(['leastLoaded', 'roundRobin', 'random', 'weighted'] as const)('policy %s', (policy) =>
    farming(
      async (farm) => {
        const engines = await Promise.all(
          Array.from({ length: 60 }, () => farm.submit(() => (globalThis as any).engine.id)),
        );
        expect(new Set(engines)).toEqual(new Set([0, 1]));
      },
      { farm: { policy } },
    ),
  );

  test('concurrency: one that runs beside others is not held up by one that came along with it, and does not', () =>
    farming(
      async (farm, c) => {
        const several = c.use(taskFarm, { concurrency: 2 });
        const play = (part?: 'wait' | 'free') => {
          const world = globalThis as any;
          if (part === 'free') world.free('freed');
          if (part !== 'wait') return 'done';
          task!.send('waits');
          return new Promise((resolve) => {
            world.free = resolve;
          });
        };
        // What is known to be brief comes before there is room for it.
        for (let i = 0; i < 5; i++) await several.submit(play);
        const waits = several.submit(play, 'wait');
        await first(waits.messages$, () => true);
        const rest = [several.submit(play, 'free'), farm.submit(play)];
        expect(await waits).toBe('freed');
        expect(await Promise.all(rest)).toEqual(['done', 'done']);
      },
      { engines: 1 },
    ));

  test('concurrency: as many as are asked for wait at a time, and no more', () =>
    farming(
      async (farm) => {
        const use = async () => {
          const world = globalThis as any;
          world.n = (world.n ?? 0) + 1;
          const seen = world.n;
          await new Promise((resolve) => setTimeout(resolve, 10));
          world.n--;
          return seen;
        };
        const seen = await Promise.all(Array.from({ length: 20 }, () => farm.submit(use)));
        expect(Math.max(...seen)).toBe(5);
      },
      { engines: 1, farm: { concurrency: 5 } },
    ));

  test('clients share the engines', () =>
    farming(
      async (farm, c) => {
        const { connect } = await import('tutti');
        const { taskFarm } = await import('tutti/paradigms');
        const other = await connect(c.connection, { output: 'ignore' });
        const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 2));
        const many = Array.from({ length: 400 }, () => farm.submit(wait));
        await many[0];
        const few = Array.from({ length: 5 }, () => other.use(taskFarm).submit(wait));
        await Promise.all(few);
        expect(many.filter(({ status }) => status !== 'done').length).toBeGreaterThan(200);
        await farm.cancelAll();
        await Promise.all(many.map(outcome));
        await other.close();
      },
      { listen: ['tcp://127.0.0.1:0'] },
    ));

  test('explain says why a task has not begun', () =>
    farming(
      async (farm, c) => {
        const first = farm.submit(forever);
        const second = farm.with({ label: 'b' }).submit(() => 2);
        const after = farm.with({ after: second }).submit(() => 3);
        await eventually(async () => (await farm.explain(first)).state).toBe('running');
        await eventually(async () => (await farm.explain(second)).why).toMatch(/busy|engine 0/);
        expect(await farm.explain(after)).toMatchObject({ state: 'waiting', waitsFor: [second.id] });
        await expect(farm.explain('1.99999')).rejects.toThrow(UsageError);
        await c.remove([0]);
        await eventually(async () => (await farm.explain(second)).why).toContain('no engine');
        await farm.cancelAll();
        await Promise.all([first, second, after].map(outcome));
      },
      { engines: 1 },
    ));
});

describe('stopping', () => {
  test('cancel: one that waits never starts, one that runs is told', () =>
    farming(
      async (farm) => {
        const first = farm.submit(forever);
        await eventually(async () => (await farm.explain(first)).state).toBe('running');
        const second = farm.submit(() => void ((globalThis as any).ran = true));
        expect(await second.cancel()).toEqual([{ engine: -1, outcome: 'never-started' }]);
        expect(await outcome(second)).toBeInstanceOf(CancelledError);
        await first.cancel('enough');
        expect(await outcome(first)).toMatchObject({ message: 'enough', code: 'CANCELLED' });
        expect(await farm.submit(() => (globalThis as any).ran)).toBeUndefined();
      },
      { engines: 1 },
    ));

  test('a loop is interrupted, and looked into', () =>
    farming(
      async (farm, c) => {
        const loop = farm.submit(() => {
          let i = 0;
          for (;;) i++;
        });
        await eventually(async () => await outcome(loop.peek('i'))).toEqual([expect.any(Number)]);
        expect((await c.tasks()).map(({ id }) => id)).toContain(loop.id);
        await loop.interrupt();
        expect(await outcome(loop)).toBeInstanceOf(InterruptedError);
        expect(await farm.submit(() => 'next')).toBe('next');
      },
      { engines: 1, kind: 'process' },
    ));

  test('tasks talk: output, progress, messages', () =>
    farming(async (farm) => {
      const talk = farm.submit(async () => {
        const { task } = globalThis as any;
        console.log('hello');
        task.progress(1, 2);
        task.send('ready');
        for await (const message of task.inbox) return message;
      });
      const printed: string[] = [];
      talk.stdout$.subscribe(({ text }) => printed.push(text));
      const messages: unknown[] = [];
      talk.messages$.subscribe(({ value }) => messages.push(value));
      await eventually(() => messages).toEqual(['ready']);
      await talk.send('go');
      expect(await talk).toBe('go');
      expect(printed.join('')).toBe('hello\n');
    }));

  test('shutdown drains, or cancels; then the farm takes nothing more', () =>
    farming(async (farm) => {
      const some = [1, 2, 3].map((x) => farm.submit((y: number) => y, x));
      await farm.shutdown();
      expect(some.every(({ status }) => status === 'done')).toBe(true);
      expect(await outcome(farm.submit(() => 1))).toBeInstanceOf(FarmClosedError);
      await farm.shutdown();
    }));

  test('a signal cancels what was submitted with it', () =>
    farming(async (farm) => {
      const abort = new AbortController();
      const result = farm.with({ signal: abort.signal }).submit(forever);
      abort.abort();
      expect(await outcome(result)).toBeInstanceOf(CancelledError);
      expect(await farm.submit(() => 1)).toBe(1);
    }));
});

test('events tell what becomes of tasks, stats how many there were', () =>
  farming(async (farm, c) => {
    const events: FarmEvent[] = [];
    const subscription = farm.events$.subscribe((event) => events.push(event));
    const good = farm.with({ label: 'good' }).submit(() => 1);
    const bad = farm.submit(() => {
      throw new Error('bad');
    });
    await Promise.all([good, outcome(bad)]);
    await expect
      .poll(() => events.filter(({ id }) => id === good.id).map(({ type }) => type))
      .toEqual(['queued', 'started', 'done']);
    await eventually(() => events.filter(({ id }) => id === bad.id).at(-1)?.type).toBe('failed');
    subscription.unsubscribe();
    expect(await farm.stats()).toMatchObject({ waiting: 0, queued: 0, running: 0, done: 1, failed: 1 });
    expect((await c.status()).paradigms.farm).toMatchObject({ done: 1 });
  }));

test('many at once, none is lost and each comes once', () =>
  farming(async (farm) => {
    const values = await Promise.all(Array.from({ length: 5_000 }, (_, i) => farm.submit((x: number) => x, i)));
    expect(values).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  }));

test('short tasks do not wait behind one that takes long, while another engine has nothing to do', () =>
  farming(async (farm) => {
    const gate = await openGate();
    const { port } = gate;
    const run = (i: number): unknown => (i < 0 ? pass(port, 'held') : i);
    // Now the farm takes it for a short one.
    for (let i = 0; i < 50; i++) await farm.submit(run, i);
    const held = farm.submit(run, -1);
    let done = 0;
    const others = Array.from({ length: 2_000 }, (_, i) => farm.submit(run, i).then(() => done++));
    // An engine begins up to 256 at a time.
    await eventually(() => done).toBeGreaterThan(2_000 - 256);
    expect(held.status).not.toBe('done');
    gate.open('held');
    await Promise.all([held, ...others]);
    await gate.close();
  }));
