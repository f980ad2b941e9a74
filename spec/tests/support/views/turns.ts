import assert from 'node:assert/strict';
import { InvalidTargetError } from 'tutti';
import { engine } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';
import { lateOutput, onceTold } from '../conditions.ts';
import { openGate, pass } from '../gate.ts';

export function turnSuite(check: Check): void {
  check('an engine runs one call at a time, first come first served, awaits included', async ({ all }) => {
    await all.execute('let log: string[] = []');
    const step = async (name: string): Promise<void> => {
      const log = engine.namespace.log as string[];
      log.push(`${name} starts`);
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
    };
    const calls = [all.apply(step, 'a'), all.apply(step, 'b'), all.execute('log.push("cell")'), all.apply(step, 'c')];
    await Promise.all(calls);
    const wanted = ['a starts', 'a ends', 'b starts', 'b ends', 'cell', 'c starts', 'c ends'];
    assert.deepEqual(await all.pull('log'), [wanted, wanted, wanted]);
  });

  check('a call that waits for a value keeps its place', async ({ engine: one }) => {
    const gate = await openGate();
    try {
      await one(1).execute('let order: string[] = []');
      const slow = one(0).apply((port: number) => pass(port, 'slow').then(() => 'value'), gate.port);
      const waits = one(1).apply((v: string) => void (engine.namespace.order as string[]).push(v), slow);
      const behind = one(1).execute('order.push("behind")');
      await gate.arrived('slow');
      gate.open('slow');
      await Promise.all([waits, behind]);
      assert.deepEqual(await one(1).pull('order'), ['value', 'behind']);
    } finally {
      await gate.close();
    }
  });

  check('many calls are answered, each with its own value', async ({ all, engine: one }) => {
    const calls = Array.from({ length: 500 }, (_, i) => one(i % 3).apply((n: number) => n, i));
    assert.deepEqual(
      await Promise.all(calls),
      calls.map((_, i) => i),
    );
    const lists = Array.from({ length: 100 }, (_, i) => all.apply((n: number) => n + engine.id, i));
    assert.deepEqual(
      await Promise.all(lists),
      lists.map((_, i) => [i, i + 1, i + 2]),
    );
  });

  check('errors that nobody catches are printed, and end nothing', async (client) => {
    const one = client.engine(1);
    const before = await one.execute('let still = "here"; process.pid');
    const printed = lateOutput(client, 'stderr', /from a timer.*from a promise|from a promise.*from a timer/s);
    await one.execute(onceTold('throw new Error("from a timer")'));
    await one.execute(onceTold('Promise.reject(new Error("from a promise"))'));
    await one.push({ told: true });
    assert.match(await printed, /Uncaught Error: from a timer/);
    assert.deepEqual(await one.execute('[still, process.pid]'), ['here', before]);
  });

  check('restart keeps the id and empties the namespace', async (client) => {
    const one = client.engine(1);
    const incarnation = (): number => client.engines.find((e) => e.id === 1)!.incarnation;
    await client.all.execute('let kept = engine.id');
    const before = incarnation();
    await one.restart();
    assert.equal(incarnation(), before + 1);
    assert.deepEqual(await client.all.execute('[engine.id, engine.size, typeof kept]'), [
      [0, 3, 'number'],
      [1, 3, 'undefined'],
      [2, 3, 'number'],
    ]);
    const fetched = client.engine(2).apply(
      (x: number[]) => x.length,
      one.apply(() => Array(50_000).fill(1)),
    );
    assert.equal(await fetched, 50_000);
  });

  check('targets that do not exist are named, with those that do', async (client) => {
    assert.throws(
      () => client.engine(7),
      (e: any) => e instanceof InvalidTargetError && /no engine 7; engines here: 0, 1, 2/.test(e.message),
    );
    assert.throws(() => client.view([0, 9]), InvalidTargetError);
    assert.throws(() => client.view([0, 0]), /named twice/);
    await assert.rejects(async () => client.view(() => false).execute('1'), /NoEnginesError|no engine/i);
  });
}
