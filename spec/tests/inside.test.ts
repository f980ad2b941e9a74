import { cluster } from 'tutti';
import { engine, registerClass, task } from 'tutti/engine';
import { expect, test } from 'vitest';

test('engine and task imported from tutti/engine mean those of the engine where the function runs', async () => {
  await using client = await cluster({ engines: 2, kind: 'thread' });
  expect(await client.all.apply(() => [engine.id, engine.size])).toEqual([
    [0, 2],
    [1, 2],
  ]);
  const call = client.engine(1).apply(() => task.id);
  expect(await call).toBe(call.id);
  expect(() => engine.id).toThrow(/only while code runs on an engine/);
});

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
}

test('instances of a class that is registered on both sides travel there and back', async () => {
  const codec = { name: 'Point', encode: (p: { x: number }) => p.x, decode: (x: number) => new Point(x) };
  registerClass(Point, codec);
  await using client = await cluster({ engines: 1 });
  const one = client.engine(0);
  await expect(one.apply((p: Point) => p, new Point(1))).rejects.toThrow(/Point/);
  await one.execute(`
    const { registerClass } = await import('tutti/engine');
    class Point { constructor(x) { this.x = x; } double() { return new Point(this.x * 2); } }
    registerClass(Point, { name: 'Point', encode: (p) => p.x, decode: (x) => new Point(x) });
  `);
  const back = await one.apply((p: Point) => (p as Point & { double(): Point }).double(), new Point(4));
  expect(back).toBeInstanceOf(Point);
  expect(back.x).toBe(8);
});
