// Many shells at once: the same statement on four engines, and data in four pieces.
import { cluster } from 'tutti';

await using client = await cluster({ engines: 4 });
const { all } = client;

console.log(await all.execute('"engine " + engine.id + " of " + engine.size'));

await all.scatter(
  'numbers',
  Float64Array.from({ length: 1000 }, (_, i) => i + 1),
);
const sums = (await all.execute('numbers.reduce((a, b) => a + b)')) as number[];
console.log('each:', sums);
console.log(
  'together:',
  sums.reduce((a, b) => a + b),
);

await all.execute('numbers = numbers.filter((n) => n % 250 === 0)');
console.log('gathered:', await all.gather<Float64Array>('numbers'));

// Prints:
//   [ 'engine 0 of 4', 'engine 1 of 4', 'engine 2 of 4', 'engine 3 of 4' ]
//   each: [ 31375, 93875, 156375, 218875 ]
//   together: 500500
//   gathered: Float64Array(4) [ 250, 500, 750, 1000 ]
