/** Tasks that say more than anybody reads, and clients that say more than a task reads: bounded, complete, in order. */
import assert from 'node:assert/strict';
import { type AsyncResult, type Cluster, cluster, LimitError } from 'tutti';
import { task } from 'tutti/engine';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { first } from './support/conditions.ts';

for (const kind of ['process', 'thread'] as const)
  describe(`${kind} engines`, () => {
    let c: Cluster;
    beforeAll(async () => {
      c = await cluster({ engines: 4, kind, output: 'ignore' });
    });
    afterAll(() => c?.close());

    test('100,000 lines of four engines arrive complete and in order', async () => {
      const result = c.all.apply((lines: number) => {
        for (let i = 0; i < lines; i++) console.log('line', i);
      }, 25_000);
      const texts = ['', '', '', ''];
      result.stdout$.subscribe(({ engine, text }) => void (texts[engine] += text));
      await result;
      const expected = Array.from({ length: 25_000 }, (_, i) => `line ${i}\n`).join('');
      for (const text of texts) assert.ok(text === expected, `${text.length} characters, not ${expected.length}`);
    });

    test('without a reader the end is kept, and what is missing is counted', async () => {
      const line = `${'x'.repeat(99)}\n`;
      const lines = 30_000;
      const result = c.engine(0).apply(
        (text: string, count: number) => {
          for (let i = 0; i < count; i++) process.stdout.write(text);
          process.stdout.write('the end\n');
        },
        line,
        lines,
      );
      await result;
      let text = '';
      let dropped = 0;
      result.stdout$.subscribe((part) => {
        text += part.text;
        dropped += part.dropped ?? 0;
      });
      assert.ok(text.endsWith(`${line}the end\n`));
      assert.ok(text.length <= 1 << 20 && text.length > (1 << 20) - (128 << 10), `${text.length} are kept`);
      assert.equal(text.length + dropped, line.length * lines + 'the end\n'.length);
    });

    test('messages larger than what is shared with the supervisor arrive, and so does what comes after them', async () => {
      const result = c.engine(1).apply(() => {
        for (let i = 0; i < 3; i++) {
          task!.send(new Uint8Array(5 << 20).fill(i));
          console.log('sent', i);
        }
      });
      const sizes: number[][] = [];
      let text = '';
      result.messages$.subscribe(({ value }) => {
        const bytes = value as Uint8Array;
        sizes.push([bytes.byteLength, bytes[0]!, bytes.at(-1)!]);
      });
      result.stdout$.subscribe((part) => void (text += part.text));
      await result;
      assert.deepEqual(
        sizes,
        [0, 1, 2].map((i) => [5 << 20, i, i]),
      );
      assert.equal(text, 'sent 0\nsent 1\nsent 2\n');
    });

    test('a task that does not read what it is sent limits who sends, and goes on', async () => {
      const running = c.engine(2).apply(() => {
        task!.send('in');
        let seen = 0;
        // The first that is read says that all that fits is there.
        while (!task!.poll());
        seen++;
        while (task!.poll()) seen++;
        task!.send('read');
        while (!task!.poll());
        return seen;
      });
      await first(running.messages$, ({ value }) => value === 'in');
      const other = c.engine(2).apply(() => 'another');
      const flood = Array.from({ length: 6_000 }, (_, i) => other.send(i));
      const answers = await Promise.allSettled(flood);
      const refused = answers.filter((answer) => answer.status === 'rejected');
      assert.ok(refused.length >= 6_000 - 4_096);
      for (const { reason } of refused) assert.ok(reason instanceof LimitError, String(reason));
      await assert.rejects(running.send('full'), LimitError);
      await running.interrupt();
      assert.equal(await other, 'another');
      const again = c.engine(2).apply(() => {
        task!.send('in');
        for (;;) {
          const message = task!.poll();
          if (message) return message.value;
        }
      });
      await first(again.messages$, () => true);
      await again.send('there is room again');
      assert.equal(await again, 'there is room again');
    });

    test('interrupted anywhere while it sends and prints, the rest of the line is usable', async () => {
      const rounds = 36;
      for (let i = 0; i < rounds; i++) {
        const large = i % 3 === 0;
        const running = c.engine(3).apply((big: boolean) => {
          const bytes = new Uint8Array(big ? 3 << 20 : 100);
          for (let n = 0; ; n++) {
            task!.send(big ? bytes : { n, text: 'a message' });
            console.log('line', n);
            task!.progress(n);
          }
        }, large);
        running.catch(() => {});
        let text = '';
        running.stdout$.subscribe((part) => void (text += part.text));
        await begun(running);
        const [how] = await running.interrupt();
        assert.equal(how!.outcome, 'landed');
        const said = c.engine(3).apply((n: number) => {
          console.log('after', n);
          task!.send({ after: n });
          return n;
        }, i);
        let after = '';
        said.stdout$.subscribe((part) => void (after += part.text));
        const message = first(said.messages$, () => true);
        assert.equal(await said, i);
        assert.equal(after, `after ${i}\n`);
        assert.deepEqual((await message).value, { after: i });
        const lines = text.split('\n').slice(0, -1);
        assert.deepEqual(
          lines.slice(0, -1),
          lines.slice(0, -1).map((_, n) => `line ${n}`),
        );
      }
    });

    test('a printer waits for a client that does not read, and nothing is lost', async () => {
      const running = c.engine(0).apply(() => {
        const line = `${'y'.repeat(999)}\n`;
        for (let i = 0; i < 20_000; i++) {
          console.log(`${i} ${line}`);
          task!.progress(i);
        }
        return process.memoryUsage().rss >> 20;
      });
      let next = 0;
      let rest = '';
      let slow = 0;
      running.stdout$.subscribe(({ text }) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line) assert.equal(Number(line.split(' ')[0]), next++);
        // Blocks this process, and the controller in it.
        if (slow++ < 20) for (const until = Date.now() + 10; Date.now() < until; );
      });
      await running;
      assert.equal(next, 20_000);
    });
  });

test('a printer whose client has stopped reading is held up, and goes on when it reads again', async () => {
  // The controller is another process, so the client can sleep alone.
  const c = await cluster({ engines: 1, controller: 'process', output: 'ignore' });
  try {
    const running = c.engine(0).apply(() => {
      for (let i = 0; i < 60_000; i++) console.log(i, 'z'.repeat(993));
    });
    let count = 0;
    let rest = '';
    running.stdout$.subscribe(({ text }) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      for (const line of parts) {
        assert.equal(Number.parseInt(line, 10), count);
        count++;
      }
    });
    await first(running.stdout$, () => true);
    // Stands still for long enough that everything on the way is full.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await running;
    assert.equal(count, 60_000);
  } finally {
    await c.close();
  }
});

async function begun(running: AsyncResult<any, any>): Promise<void> {
  await first(running.messages$, () => true);
}
