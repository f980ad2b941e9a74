// A bag of tasks: whoever has time takes one. Workers may come later, and those that die give back what they had.
import { cluster } from 'tutti';
import { ANY, type SpaceGlobal, tupleSpace } from 'tutti/paradigms';

declare const space: SpaceGlobal; // on engines

await using client = await cluster({ engines: 1 });
const bag = client.use(tupleSpace<['number', number] | ['divisor', number, number]>, { name: 'bag' });

async function work(): Promise<number> {
  let done = 0;
  for await (const [, n] of space('bag').consume(['number', ANY], { idle: 500 })) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor) divisor++;
    await space('bag').out(['divisor', n, n % divisor ? n : divisor]);
    done++;
  }
  return done;
}

const numbers = Array.from({ length: 200 }, (_, i) => 1_000_003 + 2 * i);
await bag.outMany(numbers.map((n) => ['number', n]));
const first = client.engine(0).apply(work);
const late = await client.add(2); // two more, while the first is at work
const others = late.map((id) => client.engine(id).apply(work));

const counts = await Promise.all([first, ...others]);
console.log(
  'tasks done:',
  counts.reduce((a, b) => a + b),
);
const results = await bag.takeAll(['divisor', ANY, ANY]);
console.log('primes:', results.filter(([, n, divisor]) => n === divisor).length);
console.log('left in the bag:', await bag.count());

// Prints:
//   tasks done: 200
//   primes: 32
//   left in the bag: 0
