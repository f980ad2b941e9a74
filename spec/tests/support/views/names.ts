import assert from 'node:assert/strict';
import type { Check } from '../../view-suite.ts';

export function nameSuite(check: Check): void {
  check('names tells type and size of what is in the namespaces', async ({ all, engine }) => {
    await all.execute(`
      let n = 1, text = 'four', list = [1, 2], data = new Float64Array(8), map = new Map([[1, 2]]), none = null;
      class Point { x = 1; get sum() { throw new Error('ran'); } far() {} }
      const point = new Point(), make = () => 1, record = { a: 1, b: 2 }, odd = new Proxy({}, { get() { throw new Error('ran'); } });
      Object.defineProperty(globalThis, 'lazy', { get() { throw new Error('ran'); }, configurable: true, enumerable: true });
      undefined`);
    const [first, ...others] = await all.names();
    const byName = Object.fromEntries(first!.map(({ name, ...looks }) => [name, looks]));
    assert.deepEqual(byName, {
      n: { type: 'number' },
      text: { type: 'string', size: 4 },
      list: { type: 'Array', size: 2 },
      data: { type: 'Float64Array', size: 8, bytes: 64 },
      map: { type: 'Map', size: 1 },
      none: { type: 'null' },
      Point: { type: 'class' },
      point: { type: 'Point' },
      make: { type: 'function' },
      record: { type: 'Object', size: 2 },
      odd: { type: 'Proxy' },
      lazy: { type: 'accessor' },
    });
    assert.deepEqual(others, [first, first]);
    assert.deepEqual(await engine(1).names(), first);
  });

  check('names of an expression are the properties of its value, and run no getter', async ({ engine }) => {
    await engine(0).execute(
      'class Point { x = 1; get sum() { throw new Error("ran"); } far() {} }; let points = [new Point()]; 0',
    );
    const names = await engine(0).names('points[0]');
    assert.deepEqual(names.slice(0, 1), [{ name: 'x', type: 'number' }]);
    assert.deepEqual(
      names.filter(({ name }) => name === 'sum' || name === 'far'),
      [
        { name: 'sum', type: 'accessor', inherited: true },
        { name: 'far', type: 'function', inherited: true },
      ],
    );
    assert.ok((await engine(0).names('points')).some(({ name }) => name === 'map'));
    assert.ok((await engine(0).names('"text"')).some(({ name }) => name === 'toUpperCase'));
    assert.deepEqual(await engine(0).names('null'), []);
    await assert.rejects(async () => engine(0).names('nowhere'), { name: 'ReferenceError' });
    await assert.rejects(async () => engine(0).names('no where'), /is not an expression/);
  });
}
