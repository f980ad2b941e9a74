import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, test } from 'vitest';
import { remote, snapshot } from '../../core/functions/remote.ts';
import { inspectionCount } from '../../core/functions/scopes.ts';
import { area, Circle } from '../fixtures/functions/shapes.ts';
import { travel } from '../fixtures/functions/travel.ts';

describe('remote', () => {
  test('takes the values it is given, without the inspector', () => {
    const before = inspectionCount();
    const k = 1;
    const f = remote((x: number) => x * k, { k: 5 });
    assert.deepEqual([f(2), travel(f)(2)], [2, 10]);
    assert.equal(inspectionCount(), before);
  });

  test('takes imported functions by name', () => {
    const f = remote((r: number) => area(new Circle(r)), { area: () => 1, Circle: class {} });
    assert.equal(travel(f)(10), 1);
  });

  test('without values takes those that there are now, of helpers too', () => {
    let n = 1;
    const helper = () => n;
    const again: () => number[] = () => [n, helper(), typeof again === 'function' ? 0 : 1];
    const f = remote(again);
    n = 2;
    assert.deepEqual(
      [travel(f)(), travel(again)(), again()],
      [
        [1, 1, 0],
        [2, 2, 0],
        [2, 2, 0],
      ],
    );
    assert.equal(travel(() => f)()()[0], 1);
  });

  test('refers to an export of another module', async () => {
    const twice = remote<(r: Circle) => number>(new URL('../fixtures/functions/shapes.ts', import.meta.url), 'area');
    assert.equal(travel(twice)({ radius: 10 }), 314);
    assert.equal(await twice({ radius: 10 }), 314);
  });

  test('a changed module is sent anew', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tutti-module-'));
    try {
      const file = path.join(dir, 'm.ts');
      const f = remote<() => number>(pathToFileURL(file), 'f');
      writeFileSync(file, 'export const f = (): number => 1;');
      assert.equal(travel(f)(), 1);
      writeFileSync(file, 'export const f = (): number => 22;');
      assert.equal(travel(f)(), 22);
      writeFileSync(file, 'export const f = (): number => ;');
      assert.throws(() => travel(f), /m\.ts:1:32: Unexpected ";"/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('refuses nonsense', () => {
    assert.throws(() => remote(new URL('http://example.org/m.js'), 'f'), { code: 'USAGE' });
    assert.throws(() => remote(1 as never), { code: 'USAGE' });
    assert.throws(
      () => travel(remote(new URL('../fixtures/functions/shapes.ts', import.meta.url), 'no')),
      /no export 'no'/,
    );
  });

  test('snapshot refuses at once', () => {
    const bound = Math.max.bind(null);
    assert.throws(() => snapshot(() => bound(1)), { code: 'CANNOT_TRAVEL' });
  });
});
