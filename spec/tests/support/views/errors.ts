import assert from 'node:assert/strict';
import { CannotTravelError, CompositeError, RemoteError } from 'tutti';
import type { Check } from '../../view-suite.ts';

export function errorSuite(check: Check): void {
  check('an error keeps class, message, cause and own fields, and says where', async ({ engine }) => {
    const result = engine(1).apply(() => {
      throw Object.assign(new RangeError('too far', { cause: new TypeError('inner') }), { limit: 5, code: 'E_FAR' });
    });
    await assert.rejects(
      async () => result,
      (error: any) => {
        assert.ok(error instanceof RemoteError);
        assert.deepEqual(
          [error.name, error.message, error.engine, error.task],
          ['RangeError', 'too far', 1, result.id],
        );
        assert.equal((error as any).limit, 5);
        assert.ok(error.cause instanceof TypeError && error.cause.message === 'inner');
        assert.ok(error.original instanceof RangeError && (error.original as any).code === 'E_FAR');
        assert.match(error.stack!, /RangeError: too far\n {4}on engine 1, task /);
        return true;
      },
    );
  });

  check('the stack of a typed text shows its own lines', async ({ engine }) => {
    const code = [
      'interface Unused { a: string }',
      'function inner(x: number): never {',
      '  throw new Error("deep");',
      '}',
      'inner(1);',
    ];
    await assert.rejects(
      async () => engine(0).execute(code.join('\n')),
      (error: any) => {
        const [at, from, ...more] = error.remoteStack.split('\n').slice(1);
        assert.match(at, /inner .*cell-\d+\.ts:3:\d+/);
        assert.match(from, /cell-\d+\.ts:5:1/);
        assert.deepEqual(more, []);
        return true;
      },
    );
    await engine(0).execute('function later() {\n  throw new Error("late") }');
    await assert.rejects(
      async () => engine(0).execute('\n\nlater()'),
      (error: any) => {
        assert.match(error.remoteStack, /later .*cell-\d+\.ts:2:\d+/);
        return true;
      },
    );
  });

  check('several failures come as one CompositeError', async ({ all, view }) => {
    await assert.rejects(
      async () => all.execute('if (engine.id) throw new Error("no " + engine.id); 1'),
      (error: any) => {
        assert.ok(error instanceof CompositeError && error instanceof AggregateError);
        assert.deepEqual(
          error.errors.map((e: any) => [e.engine, e.message]),
          [
            [1, 'no 1'],
            [2, 'no 2'],
          ],
        );
        assert.match(error.message, /2 of 3 engines failed:\n {2}\[1\] Error: no 1\n {2}\[2\] Error: no 2/);
        return true;
      },
    );
    await assert.rejects(
      async () => view([1]).execute('throw new Error("alone")'),
      (e: any) => e instanceof RemoteError && e.message === 'alone',
    );
    await assert.rejects(
      async () =>
        all.map(
          (x) => {
            if (x === 2) throw new Error(`item ${x}`);
            return x;
          },
          [1, 2, 3],
        ),
      (e: any) => e instanceof CompositeError && e.errors.length === 1 && e.errors[0].engine === 1,
    );
  });

  check('what is thrown need not be an Error', async ({ engine }) => {
    for (const [thrown, shown] of [
      ['"text"', 'threw "text"'],
      ['undefined', 'threw undefined, not an Error'],
      ['{ a: 1 }', 'threw an object, not an Error: {"a":1}'],
      ['null', 'threw null, not an Error'],
    ] as const) {
      await assert.rejects(async () => engine(0).execute(`throw ${thrown}`), { name: 'RemoteError', message: shown });
    }
    await assert.rejects(
      async () => engine(0).apply(() => Promise.reject(5)),
      (e: any) => e.original === 5,
    );
    await assert.rejects(
      async () =>
        engine(0).apply(() => {
          throw () => 1;
        }),
      RemoteError,
    );
  });

  check('a value that cannot travel is refused with its path', async ({ engine }) => {
    await assert.rejects(
      async () => engine(0).apply((x: unknown) => x, { a: [1, Symbol('s')] }),
      (error: any) => {
        assert.ok(error instanceof CannotTravelError);
        assert.match(error.path, /\.a\[1\]$/);
        assert.ok(error.message.includes(error.path));
        return true;
      },
    );
    await assert.rejects(async () => engine(0).push({ p: new WeakMap() }), /CannotTravelError: .*\.p/);
    await assert.rejects(
      async () => engine(0).apply(() => ({ deep: [new WeakSet()] })),
      (error: any) => {
        assert.equal(error.name, 'CannotTravelError');
        assert.match(error.path, /\.deep\[0\]$/);
        assert.match(error.message, /deep\[0\]/);
        return true;
      },
    );
    assert.equal(await engine(0).execute('1'), 1);
  });

  check('cyclic and shared values are fine', async ({ engine }) => {
    const node: { self?: unknown; twice: unknown[] } = { twice: [] };
    node.self = node;
    node.twice = [node.twice, node];
    const back: any = await engine(0).apply((n: any) => ({ same: n.self === n && n.twice[1] === n, n }), node);
    assert.equal(back.same, true);
    assert.equal(back.n.self, back.n);
  });

  check('every kind of error class keeps its shape', async ({ engine }) => {
    await assert.rejects(
      async () => engine(0).execute('throw new AggregateError([new Error("a"), new SyntaxError("b")], "both")'),
      (error: any) => {
        assert.deepEqual([error.name, error.message], ['AggregateError', 'both']);
        assert.deepEqual(
          error.original.errors.map((e: Error) => e.message),
          ['a', 'b'],
        );
        return true;
      },
    );
    await assert.rejects(
      async () =>
        engine(0).execute(
          'class OwnError extends Error { name = "OwnError"; extra = new Map([[1, 2]]) }\nthrow new OwnError("own")',
        ),
      (error: any) => {
        assert.deepEqual([error.name, error.extra], ['OwnError', new Map([[1, 2]])]);
        return true;
      },
    );
    await assert.rejects(
      async () => engine(0).execute("require('node:fs').readFileSync('/does/not/exist')"),
      (error: any) => {
        assert.deepEqual([error.original.code, error.syscall], ['ENOENT', 'open']);
        return true;
      },
    );
  });
}
