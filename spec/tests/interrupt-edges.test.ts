/** Interrupt and peek where user code, or the end of a program, comes in their way. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type Cluster, cluster, EngineLostError } from 'tutti';
import { task } from 'tutti/engine';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import { first } from './support/conditions.ts';
import { using } from './support/shared.ts';

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
