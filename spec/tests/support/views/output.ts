import assert from 'node:assert/strict';
import { engine } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';
import { all as everything, lateOutput, onceTold } from '../conditions.ts';
import { openGate, pass } from '../gate.ts';

export function outputSuite(check: Check): void {
  check('output is attributed to its call and engine, across awaits', async ({ all }) => {
    const result = all.apply(async () => {
      console.log('before', engine.id);
      await new Promise((resolve) => setImmediate(resolve));
      console.error('problem', engine.id);
      console.log('after', engine.id);
    });
    const [out, err] = await Promise.all([everything(result.stdout$), everything(result.stderr$)]);
    await result;
    const text = (id: number, printed: typeof out): string =>
      printed
        .filter((p) => p.engine === id)
        .map((p) => p.text)
        .join('');
    for (const id of [0, 1, 2]) {
      assert.equal(text(id, out), `before ${id}\nafter ${id}\n`);
      assert.equal(text(id, err), `problem ${id}\n`);
    }
    assert.deepEqual(await everything(result.stderr$), err, 'late subscribers get it from the start');
  });

  check('output arrives while the call runs', async ({ engine: one }) => {
    const gate = await openGate();
    try {
      const running = one(0).apply(async (port: number) => {
        console.log('on the way');
        await pass(port, 'printed');
      }, gate.port);
      await new Promise<void>((resolve) =>
        running.stdout$.subscribe(({ text }) => text === 'on the way\n' && resolve()),
      );
      assert.equal(running.status, 'pending');
      gate.open('printed');
      await running;
    } finally {
      await gate.close();
    }
  });

  check('tasks that print by turns keep their own', async ({ engine: one }) => {
    const printed = (word: string) =>
      one(0).apply(async (w: string) => {
        console.log(`${w} 1`);
        // A timer set in one call and running during the next still belongs to the one that set it.
        await new Promise<void>((resolve) => setTimeout(() => resolve(console.log(`${w} 2`)), 1));
      }, word);
    const calls = ['a', 'b', 'c'].map(printed);
    const texts = await Promise.all(
      calls.map(async (call) => (await everything(call.stdout$)).map((p) => p.text).join('')),
    );
    assert.deepEqual(texts, ['a 1\na 2\n', 'b 1\nb 2\n', 'c 1\nc 2\n']);
  });

  check('what a timer prints after its call is an event', async (client) => {
    const late = lateOutput(client, 'stdout', /much later 1\n/);
    const one = client.engine(1);
    assert.equal(await one.execute(onceTold('console.log("much later", engine.id)')), 'at once');
    await one.push({ told: true });
    assert.match(await late, /much later 1\n/);
  });

  check('large output comes whole and in order', async ({ engine: one }) => {
    const result = one(2).execute('for (let i = 0; i < 20_000; i++) console.log("line", i)');
    const text = (await everything(result.stdout$)).map((p) => p.text).join('');
    await result;
    assert.equal(text, Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(''));
  });
}
