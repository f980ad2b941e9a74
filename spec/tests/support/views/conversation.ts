/** Talking to tasks while they run: in a loop, past an await, waiting, queued and finished. */
import assert from 'node:assert/strict';
import { type AsyncResult, CannotTravelError, InterruptedError, NotOnStackError, UsageError } from 'tutti';
import { task } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';
import { first, until } from '../conditions.ts';
import { openGate, pass } from '../gate.ts';

/** Counts, and prints what it is sent, for ever. */
function counting(): void {
  let i = 0;
  task!.send('in');
  while (true) {
    i++;
    const message = task!.poll();
    if (message) console.log('got', message.value);
  }
}

export function conversationSuite(check: Check): void {
  for (const [where, code] of [
    ['a loop', counting],
    [
      'a loop past an await',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        let i = 0;
        task!.send('in');
        while (true) {
          i++;
          const message = task!.poll();
          if (message) console.log('got', message.value);
        }
      },
    ],
  ] as const)
    check(`${where} is looked into, talked to and interrupted, and what was there before is kept`, async ({ all }) => {
      await all.push({ kept: [1, 2, 3] });
      const running = all.apply(code);
      await begun(running, 3);
      const one = (await running.peek('i')) as number[];
      const two = (await running.peek('i')) as number[];
      assert.equal(one.length, 3);
      assert.ok(
        one.every((i, engine) => i < two[engine]!),
        `${one} and then ${two}`,
      );
      const printed = Promise.all([0, 1, 2].map((id) => first(running.stdout$, ({ engine }) => engine === id)));
      await running.send({ hello: 'you' });
      assert.deepEqual(
        (await printed).map(({ text }) => text),
        Array(3).fill("got { hello: 'you' }\n"),
      );
      await running.send('only one', 1);
      await first(running.stdout$, ({ engine, text }) => engine === 1 && text.includes('got only one'));
      await until(
        () => running.status,
        (status) => status === 'running',
      );
      const outcomes = await running.interrupt('enough of that');
      assert.deepEqual(
        outcomes,
        [0, 1, 2].map((engine) => ({ engine, outcome: code === counting ? 'landed' : 'unwound' })),
      );
      assert.equal(running.status, 'cancelled');
      for (const part of await running.settled())
        assert.ok(part.status === 'rejected' && part.reason instanceof InterruptedError);
      assert.deepEqual(await all.pull('kept'), Array(3).fill([1, 2, 3]));
    });

  check('a busy loop prints whole lines, in order, while it loops', async ({ all }) => {
    const running = all.apply(() => {
      for (let i = 0; i < 2_000; i++) {
        console.log('line', i);
        process.stderr.write(`problem ${i}\n`);
      }
      process.stdout.write('the ');
      process.stdout.write('end\n');
      while (true);
    });
    running.catch(() => {});
    const texts = ['', '', ''];
    const problems = ['', '', ''];
    running.stdout$.subscribe(({ engine, text }) => void (texts[engine] += text));
    running.stderr$.subscribe(({ engine, text }) => void (problems[engine] += text));
    await until(
      () => texts,
      (all) => all.every((text) => text.endsWith('the end\n')),
    );
    await running.interrupt();
    const lines = Array.from({ length: 2_000 }, (_, i) => i);
    for (const text of texts) assert.equal(text, `${lines.map((i) => `line ${i}\n`).join('')}the end\n`);
    for (const text of problems) assert.equal(text, lines.map((i) => `problem ${i}\n`).join(''));
  });

  check('progress and messages leave a loop at once', async ({ engine: one }) => {
    const running = one(1).apply(() => {
      task!.progress(1);
      task!.send({ at: 'the beginning', bytes: new Uint8Array([1, 2]) });
      while (!task!.poll());
      task!.progress(2, 3);
      while (!task!.poll());
      return 'told to go';
    });
    const { done, total } = await first(running.progress$, () => true);
    assert.deepEqual([done, total], [1, undefined]);
    const message = await first(running.messages$, () => true);
    assert.deepEqual(message, { engine: 1, value: { at: 'the beginning', bytes: new Uint8Array([1, 2]) } });
    await running.send('on');
    assert.deepEqual(await first(running.progress$, (p) => p.done === 2), { engine: 1, done: 2, total: 3 });
    assert.deepEqual(await first(running.messages$, () => true), message, 'late subscribers get it from the start');
    await running.send('and on');
    assert.equal(await running, 'told to go');
  });

  check('an inbox is read as messages come, until its task ends', async ({ engine: one }) => {
    const running = one(0).apply(async () => {
      const seen: unknown[] = [];
      for await (const message of task!.inbox) {
        if (message === 'stop') break;
        seen.push(message);
        task!.send(seen.length);
      }
      return seen;
    });
    await running.send('one');
    await first(running.messages$, ({ value }) => value === 1);
    await running.send(new Map([['two', 2]]));
    await running.send('stop');
    assert.deepEqual(await running, ['one', new Map([['two', 2]])]);
    await assert.rejects(running.send('too late'), NotOnStackError);
    await assert.rejects(running.peek('seen'), NotOnStackError);
  });

  check('what is interrupted says how: queued, waiting, finished, idle', async ({ all, engine: one }) => {
    const gate = await openGate();
    try {
      const waiting = one(0).apply((port: number) => pass(port, 'never'), gate.port);
      const queued = one(0).apply(() => 'never');
      for (const pending of [waiting, queued]) pending.catch(() => {});
      await gate.arrived('never');
      assert.deepEqual(await queued.interrupt(), [{ engine: 0, outcome: 'never-started' }]);
      await assert.rejects(async () => queued, InterruptedError);
      assert.deepEqual(await waiting.interrupt('no more'), [{ engine: 0, outcome: 'abandoned' }]);
      await assert.rejects(async () => waiting, { name: 'InterruptedError', code: 'INTERRUPTED', message: 'no more' });
      assert.deepEqual(await waiting.interrupt(), [{ engine: 0, outcome: 'done' }]);
      const finished = one(2).execute('1');
      await finished;
      assert.deepEqual(await finished.interrupt(), [{ engine: 2, outcome: 'done' }]);
      assert.equal(await finished, 1);
      const idle = (await all.interrupt()).map(({ outcome }) => outcome);
      assert.deepEqual(idle, ['idle', 'idle', 'idle']);
    } finally {
      await gate.close();
    }
  });

  check('a task that heeds its signal ends by itself', async ({ engine: one }) => {
    const running = one(1).apply(
      () =>
        new Promise((_resolve, reject) => {
          task!.signal.addEventListener('abort', () => reject(task!.signal.reason));
          task!.send('in');
        }),
    );
    running.catch(() => {});
    await begun(running, 1);
    assert.deepEqual(await running.interrupt('please'), [{ engine: 1, outcome: 'signalled' }]);
    await assert.rejects(async () => running, { name: 'InterruptedError', message: 'please' });
  });

  check('cancelling a loop rejects at once and frees its engine', async ({ engine: one }) => {
    const running = one(2).apply(counting);
    running.catch(() => {});
    await begun(running, 1);
    const stopped = running.cancel('not wanted');
    assert.equal(running.status, 'cancelled');
    await assert.rejects(async () => running, { name: 'CancelledError', message: 'not wanted' });
    assert.equal(await one(2).execute('1 + 1'), 2);
    assert.deepEqual(await stopped, [{ engine: 2, outcome: 'landed' }]);
  });

  check('one of three loops is stopped, and the others go on', async (client) => {
    const running = client.all.apply(() => {
      task!.send('in');
      while (!task!.poll());
      return 'went on';
    });
    running.catch(() => {});
    await begun(running, 3);
    assert.deepEqual(await client.engine(1).interrupt(), [{ engine: 1, outcome: 'landed' }]);
    await running.send('go');
    assert.deepEqual(
      (await running.settled()).map((part) => (part.status === 'fulfilled' ? part.value : part.reason.name)),
      ['went on', 'InterruptedError', 'went on'],
    );
  });

  check('peek reads, and says what it cannot read', async ({ engine: one, all }) => {
    const running = one(0).apply(() => {
      const list = [1, 2, 3];
      const table = new Map([['a', { b: 1n }]]);
      const inner = (): void => {
        let depth = 2;
        for (depth = 2; depth; depth = 2) Math.sqrt(depth + list.length + table.size);
      };
      task!.send('in');
      inner();
    });
    running.catch(() => {});
    await begun(running, 1);
    assert.deepEqual(await running.peek('[list.length, list.at(-1), table]'), [[3, 3, new Map([['a', { b: 1n }]])]]);
    assert.deepEqual(await running.peek('depth'), [2], 'also what it has called');
    assert.equal(await one(0).peek('list[1]'), 2);
    const refusals: [string, RegExp][] = [
      ['list +', /SyntaxError/],
      ['nobody', /nobody is not defined/],
      ['list.push(4)', /would change something/],
      ['list = 3', /would change something|cannot be read/],
      ['null.x', /TypeError/],
    ];
    for (const [expression, message] of refusals)
      await assert.rejects(
        running.peek(expression),
        (error: Error) => error instanceof UsageError && message.test(error.message),
        expression,
      );
    assert.deepEqual(await running.peek('list'), [[1, 2, 3]]);
    await assert.rejects(async () => (await one(1).peek('list')) as unknown, NotOnStackError);
    await running.interrupt();
    await assert.rejects(running.peek('list'), NotOnStackError);
    assert.deepEqual(await all.execute('1'), [1, 1, 1]);
  });

  check('peek reads the names of a loop, wherever the thread happens to be in it', async ({ engine: one }) => {
    const loops: [string, () => unknown][] = [
      [
        'i',
        () => {
          task!.send('in');
          for (let i = 0; ; i++) {}
        },
      ],
      [
        'half',
        () => {
          let i = 0;
          task!.send('in');
          while (true) {
            i++;
            const half = i / 2;
            if (half < 0) break;
          }
        },
      ],
    ];
    for (const [name, loop] of loops) {
      const running = one(1).apply(loop);
      running.catch(() => {});
      await begun(running, 1);
      const [value] = await running.peek(name);
      assert.ok(value === undefined || (value as number) >= 0); // thread engines may have optimised it away
      await running.interrupt();
    }
  });

  check('a function that waits has nothing to be read', async ({ engine: one }) => {
    const gate = await openGate();
    try {
      const waiting = one(0).apply(async (port: number) => {
        const x = 1;
        await pass(port, 'peeked');
        return x;
      }, gate.port);
      await gate.arrived('peeked');
      await assert.rejects(
        waiting.peek('x'),
        (error: Error) => error instanceof NotOnStackError && /waits at an await on engine 0/.test(error.message),
      );
      gate.open('peeked');
      assert.equal(await waiting, 1);
    } finally {
      await gate.close();
    }
  });

  check('what cannot be sent is refused, with where it is', async ({ engine: one }) => {
    const running = one(0).apply(() => {
      task!.send('in');
      let error: any;
      try {
        task!.send({ fine: 1, deep: [{ weak: new WeakMap() }] });
      } catch (thrown) {
        error = thrown;
      }
      while (!task!.poll());
      return [error.code, error.message];
    });
    await begun(running, 1);
    assert.throws(
      () => running.send({ list: [1, new WeakMap()] }),
      (error: Error) => error instanceof CannotTravelError && /message\.list\[1\]/.test(error.message),
    );
    await running.send(null);
    const [code, message] = (await running) as [string, string];
    assert.equal(code, 'CANNOT_TRAVEL');
    assert.match(message, /message\.deep\[0\]\.weak/);
  });

  check('what runs is to be seen, and can be talked to by its id', async (client) => {
    const running = client.engine(1).with({ label: 'counts' }).apply(counting);
    const queued = client.engine(1).execute('2');
    running.catch(() => {});
    await begun(running, 1);
    const tasks = await until(
      () => client.tasks(),
      ([one]) => one?.state === 'running',
    );
    assert.deepEqual(
      tasks.map(({ ms, client, call, ...task }) => {
        assert.ok(ms >= 0);
        assert.equal(task.id, `${client}.${call}`);
        return task;
      }),
      [
        { id: running.id, op: 'apply', label: 'counts', engine: 1, state: 'running', mine: true },
        { id: queued.id, op: 'execute', engine: 1, state: 'waiting', mine: true },
      ],
    );
    const handle = client.task(running.id);
    const [i] = (await handle.peek('i')) as number[];
    assert.ok(i! > 0);
    await handle.send('by its id');
    await first(running.stdout$, ({ text }) => text === 'got by its id\n');
    assert.deepEqual(await handle.interrupt(), [{ engine: 1, outcome: 'landed' }]);
    await assert.rejects(async () => running, InterruptedError);
    assert.equal(await queued, 2);
    assert.deepEqual(await client.tasks(), []);
    await assert.rejects(handle.peek('i'), NotOnStackError);
    await assert.rejects(handle.send('x'), NotOnStackError);
    await assert.rejects(handle.interrupt(), NotOnStackError);
    for (const id of ['', '1', '1.', '1.x', 'a.b', '1.0']) assert.throws(() => client.task(id), UsageError);
  });
}

/** Each of so many engines has said something. */
async function begun(running: AsyncResult<any, any>, engines: number): Promise<void> {
  const seen = new Set<number>();
  await first(running.messages$, ({ engine }) => seen.add(engine).size === engines);
}
