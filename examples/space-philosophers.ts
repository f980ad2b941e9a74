// Dining philosophers: each takes both forks in one step, so that nobody holds one and waits for the other for ever.
import { cluster } from 'tutti';
import { type SpaceGlobal, tupleSpace } from 'tutti/paradigms';

declare const space: SpaceGlobal; // on engines

const SEATS = 5;
await using client = await cluster({ engines: SEATS, kind: 'thread' });
const table = client.use(tupleSpace, { name: 'table' });
await table.outMany(Array.from({ length: SEATS }, (_, seat) => ['fork', seat]));

async function dine(seats: number): Promise<string> {
  const { id } = engine;
  const forks: [string, number][] = [
    ['fork', id],
    ['fork', (id + 1) % seats],
  ];
  const table = space('table');
  for (let meal = 0; meal < 20; meal++) {
    await table.exchange(forks, []);
    await table.outMany(forks);
  }
  return `philosopher ${id} has eaten 20 times`;
}

declare const engine: { id: number };

for (const line of await client.all.apply(dine, SEATS)) console.log(line);
console.log('forks on the table:', await table.count());

// Prints:
//   philosopher 0 has eaten 20 times
//   philosopher 1 has eaten 20 times
//   philosopher 2 has eaten 20 times
//   philosopher 3 has eaten 20 times
//   philosopher 4 has eaten 20 times
//   forks on the table: 5
