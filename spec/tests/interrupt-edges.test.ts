/** Interrupt and peek where user code, or the end of a program, comes in their way. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type Cluster, cluster, EngineLostError } from 'tutti';
import { task } from 'tutti/engine';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import { first } from './support/conditions.ts';
import { using } from './support/shared.ts';

/** V8 ends the process when a function is made ready for a break that another thread is about to inline. */
test('an engine may be looked into while its code is being optimised', async () => {
  await using client = await cluster({ engines: 1 });
  const running = client.engine(0).apply(() => {
    const ten = Array.from({ length: 10 }, (_, i) => i);
    const helper = (i: number): string =>
      `function h${i}(x, o) { const a = o.a + x * ${i}, b = o.b - (x >> 1); if (a > b) { o.a = (a - b) % 1013; } else { o.b = (b - a) % 1009; } return (a ^ b) + o.c; }`;
    const use = (i: number): string =>
      `s = (s + h${i % 10}(a + ${i}, o) * ${i + 1}) | 0; if (s > ${i * 1000}) { s -= o.c + ${i}; } else { s += o.d * ${i}; }`;
    const uses = ten.flatMap((i) => ten.slice(4).map((k) => use(6 * i + k - 4)));
    const text = `${ten.map(helper).join('\n')} return (a, o) => { let s = 0; ${uses.join('\n')} return s; }`;
    const numbers = { a: 1, b: 2, c: 3, d: 4 };
    task!.send('in');
    for (let turn = 0; ; turn++) {
      const fresh = new Function(`/* ${turn} */ ${text}`)();
      for (let k = 0; k < 4_000; k++) fresh(k, numbers);
    }
  });
  running.catch(() => {});
  await first(running.messages$, () => true);
  for (let n = 0; n < 150; n++) await running.peek('turn');
  assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'landed' }]);
});

for (const kind of ['process', 'thread'] as const)
  describe(`${kind} engines`, () => {
    let c: Cluster;
    beforeAll(async () => {
      c = await cluster({ engines: 1, kind, output: 'ignore' });
    });
    afterAll(() => c?.close());

    test('a debugger statement holds nobody up', async () => {
      const running = c.engine(0).apply(() => {
        let i = 0;
        task!.send('in');
        while (!task!.poll()) {
          // biome-ignore lint/suspicious/noDebugger: that is what is tested
          debugger;
          i++;
        }
        return i;
      });
      await first(running.messages$, () => true);
      const [i] = (await running.peek('i')) as number[];
      await running.send('go');
      assert.ok((await running) >= i!);
    });

    test('whoever waits for a child process is stopped with it', async () => {
      const running = c.engine(0).apply(() => {
        task!.send('in');
        process.getBuiltinModule('node:child_process').execSync('sleep 600; true');
      });
      running.catch(() => {});
      await first(running.messages$, () => true);
      const [stopped] = await running.interrupt('enough');
      assert.ok(['signalled', 'landed'].includes(stopped!.outcome), stopped!.outcome); // perhaps where the failure is caught
      await assert.rejects(async () => running, { name: 'InterruptedError', message: 'enough' });
      assert.equal(await c.engine(0).execute('1 + 1'), 2);
    });

    test('and so is whoever does not mind that it is gone', async () => {
      const running = c.engine(0).apply(() => {
        task!.send('in');
        process.getBuiltinModule('node:child_process').spawnSync('sleep', ['600']);
        for (;;);
      });
      running.catch(() => {});
      await first(running.messages$, () => true);
      assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'landed' }]);
      assert.equal(await c.engine(0).execute('1 + 1'), 2);
    });

    test('what is left over from a task that has ended is stopped, too', async () => {
      const over = c.engine(0).apply(() => {
        setTimeout(() => {
          task!.send('in');
          while (true);
        }, 20);
        return 'over';
      });
      assert.equal(await over, 'over');
      const next = c.engine(0).apply(() => 'next');
      // Whatever runs now: at first nothing does.
      for (;;) {
        const { outcome } = (await c.engine(0).interrupt())[0]!;
        if (outcome === 'unwound') break;
        assert.ok(['idle', 'done'].includes(outcome), outcome);
      }
      assert.equal(await next, 'next');
    });

    test('what waits behind a callback of setImmediate that is stopped is called', async () => {
      const one = c.engine(0);
      const { incarnation } = c.engines[0]!;
      await one.execute('globalThis.called = []; void 0');
      const running = one.apply(() => {
        const { called } = globalThis as unknown as { called: string[] };
        return new Promise<void>(() => {
          setImmediate(() => void called.push('before'));
          setImmediate(() => {
            task!.send('in');
            for (let i = 0; ; i++) Math.sqrt(i);
          });
          for (const name of ['behind', 'last']) setImmediate(() => void called.push(name));
        });
      });
      running.catch(() => {});
      await first(running.messages$, () => true);
      assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'restarted' }]);
      assert.deepEqual(await one.execute('called'), ['before', 'behind', 'last']);
      assert.equal(c.engines[0]!.incarnation, incarnation);
    });

    test('nor is one lost that waits behind what a callback of setImmediate has left to do', async () => {
      const one = c.engine(0);
      const { incarnation } = c.engines[0]!;
      await one.execute('globalThis.called = []; void 0');
      const running = one.apply(() => {
        const { called } = globalThis as unknown as { called: string[] };
        return new Promise<void>(() => {
          setImmediate(() =>
            process.nextTick(() => {
              clearImmediate(cleared);
              task!.send('in');
              for (let i = 0; ; i++) Math.sqrt(i);
            }),
          );
          const cleared = setImmediate(() => void called.push('cleared'));
          setImmediate(() => void called.push('behind'));
        });
      });
      running.catch(() => {});
      await first(running.messages$, () => true);
      assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'unwound' }]);
      assert.deepEqual(await one.execute('called'), ['behind']);
      assert.equal(c.engines[0]!.incarnation, incarnation);
    });

    test('values of every kind are read, at once or not, from a loop and from its block', async () => {
      const running = c.engine(0).apply(() => {
        const values = [1, 'text', true, null, undefined, -0, Number.NaN, 10n, { a: [1] }, new Set([1])];
        const [number, text, yes, none, nothing, zero, nan, big, object, set] = values;
        task!.send('in');
        for (let inBlock = 0; ; inBlock++)
          if (inBlock < 0) return [number, text, yes, none, nothing, zero, nan, big, object, set];
      });
      running.catch(() => {});
      await first(running.messages$, () => true);
      const read = async (expression: string): Promise<unknown> => ((await running.peek(expression)) as [unknown])[0];
      for (let round = 0; round < 2; round++) {
        const names = ['number', 'text', 'yes', 'none', 'nothing', 'zero', 'nan', 'big', 'object', 'set'];
        const expected = [1, 'text', true, null, undefined, -0, Number.NaN, 10n, { a: [1] }, new Set([1])];
        for (const [i, name] of names.entries()) assert.deepEqual(await read(name), expected[i], name);
        assert.equal(await read('inBlock >= 0'), true);
        await assert.rejects(() => read('nowhere'), /nowhere is not defined/);
      }
      assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome: 'landed' }]);
    });

    test('user code may take globals away', () =>
      using({ engines: 1, kind }, async (own) => {
        // The modules that are used below are loaded while everything is there.
        await own.engine(0).apply(() => task!.id);
        await own.engine(0).execute(`
          let kept = 'kept';
          for (const name of ['setImmediate', 'Map', 'performance', 'JSON', 'queueMicrotask', 'Buffer', 'Error'])
            globalThis[name] = undefined;
          globalThis.setTimeout = () => {};
        `);
        for (const [code, outcome] of [
          [
            () => {
              let i = 0;
              task!.send('in');
              while (true) i++;
            },
            'landed',
          ],
          [
            async () => {
              await null;
              let i = 0;
              task!.send('in');
              while (true) i++;
            },
            'unwound',
          ],
        ] as const) {
          const running = own.engine(0).apply(code);
          running.catch(() => {});
          await first(running.messages$, () => true);
          assert.equal(typeof ((await running.peek('i')) as unknown[])[0], 'number');
          assert.deepEqual(await running.interrupt(), [{ engine: 0, outcome }]);
        }
        assert.equal(await own.engine(0).pull('kept'), 'kept');
      }));

    test('an engine that exits while it is looked into exits', () =>
      using({ engines: 1, kind }, async (own) => {
        const running = own.engine(0).apply(() => {
          let i = 0;
          task!.send('in');
          while (!task!.poll()) i++;
          process.exit(5);
        });
        running.catch(() => {});
        await first(running.messages$, () => true);
        const peeks = Promise.allSettled(Array.from({ length: 20 }, () => running.peek('i')));
        await running.peek('i');
        await running.send('exit');
        await peeks;
        await assert.rejects(
          async () => running,
          (error: Error) => error instanceof EngineLostError && error.exitCode === 5,
        );
      }));
  });

const PROGRAM = `
import { cluster } from 'tutti';
const c = await cluster({ engines: 2, kind: process.argv[1], output: 'ignore' });
const running = c.all.apply(() => { let i = 0; task.send('in'); while (true) i++; });
running.catch(() => {});
await new Promise((resolve) => running.messages$.subscribe(resolve));
const peeks = Array.from({ length: 10 }, () => running.peek('i').catch(() => {}));
if (process.argv[3] === 'looking') await peeks[0];
if (process.argv[2] === 'exit') process.exit(7);
if (process.argv[2] === 'crash') throw new Error('over');
await c.close();
`;

for (const kind of ['process', 'thread'])
  for (const [how, code] of [
    ['exit', 7],
    ['crash', 1],
    ['close', 0],
  ] as const)
    for (const when of ['connecting', 'looking'])
      test(`a program with ${kind} engines that are looked into ends (${how}, ${when}), and no debugger is waited for`, async () => {
        const program = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, kind, how, when], {
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        onTestFinished(() => void program.kill('SIGKILL')); // one that hangs, hangs in a loop
        let text = '';
        program.stderr.setEncoding('utf8').on('data', (part: string) => void (text += part));
        const exit = await new Promise((resolve) => program.once('close', resolve));
        assert.equal(exit, code, text);
        assert.doesNotMatch(text, /debugger/i);
      });
