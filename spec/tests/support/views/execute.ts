import assert from 'node:assert/strict';
import { Opaque, ref } from 'tutti';
import type { Check } from '../../view-suite.ts';

export function executeSuite(check: Check): void {
  check('execute gives one value an engine, in target order', async (client) => {
    assert.deepEqual(await client.all.execute('engine.id * 10'), [0, 10, 20]);
    assert.deepEqual(await client.view([2, 0]).execute('engine.id'), [2, 0]);
    assert.deepEqual(await client.view((e) => e.id !== 1).execute('engine.id'), [0, 2]);
    assert.equal(await client.engine(1).execute('engine.id'), 1);
    assert.deepEqual(client.view([2, 0]).targets, [2, 0]);
  });

  check('execute has console semantics', async ({ all }) => {
    assert.deepEqual(await all.execute('let x: number = 1'), [undefined, undefined, undefined]);
    assert.deepEqual(await all.execute('let x = 2; await Promise.resolve(x)'), [2, 2, 2]);
    await all.execute(
      'const x = 3; class Point { constructor(public at: number) {} }\nfunction twice(n: number) { return 2 * n }',
    );
    assert.deepEqual(await all.execute('new Point(twice(x)).at'), [6, 6, 6]);
    await all.execute('const { a, b: [c] } = { a: 1, b: [2] }');
    assert.deepEqual(await all.execute('[a, c]'), Array(3).fill([1, 2]));
    assert.deepEqual(await all.execute('{ a: 1 }'), Array(3).fill({ a: 1 }));
    assert.deepEqual(await all.execute('for (let i = 0; i < 3; i++) i'), [2, 2, 2]);
    assert.deepEqual(
      await all.execute("import { sep } from 'node:path'; const p = await import('node:path'); sep === p.sep"),
      Array(3).fill(true),
    );
    assert.deepEqual(await all.execute(''), [undefined, undefined, undefined]);
  });

  check('a tag sends its values as variables', async ({ all, engine }) => {
    const words = new Map([['one', 1]]);
    assert.deepEqual(await all.execute`${words}.get('one') + ${[1, 2, 3]}.length`, [4, 4, 4]);
    assert.deepEqual(await all.execute`let kept: number[] = ${[5]}`, [undefined, undefined, undefined]);
    assert.deepEqual(await all.px`kept.map(${(x: number) => x + words.size})`, Array(3).fill([6]));
    assert.equal(await engine(0).execute`await ${7} + 1`, 8);
  });

  check('a tag takes pending results and refs', async ({ all, engine }) => {
    await all.execute('let base = engine.id');
    const a = engine(0).execute('40');
    const b = engine(2).execute('await Promise.resolve(1)');
    assert.deepEqual(await all.execute`${a} + 2 * ${b} + ${ref('base')}`, [42, 43, 44]);
    assert.deepEqual(await engine(1).execute`${all.execute('engine.id')}.length`, 3);
  });

  check('a value that cannot leave its engine is shown', async ({ all }) => {
    const [shown] = await all.execute('function f() {}\nf');
    assert.ok(shown instanceof Opaque);
    assert.equal(String(shown), '[Function: f]');
    assert.ok((await all.execute('new WeakMap()'))[2] instanceof Opaque);
  });

  check('code that is wrong is refused with its line and a caret', async ({ all }) => {
    await assert.rejects(
      async () => all.execute('let a = 1;\nlet b = a +;'),
      (error: Error) => {
        assert.equal(error.name, 'SyntaxError');
        assert.match(error.message, /2/);
        assert.match(error.message, /let b = a \+;\n\s+\^/);
        return true;
      },
    );
    await assert.rejects(async () => all.execute(5 as unknown as string), /UsageError: execute takes code as a string/);
  });

  check('clear empties the namespaces and gives replaced globals back', async ({ all }) => {
    await all.execute('let gone = 1; let structuredClone = 2');
    await all.clear();
    assert.deepEqual(
      await all.execute('[typeof gone, typeof structuredClone]'),
      Array(3).fill(['undefined', 'function']),
    );
  });
}
