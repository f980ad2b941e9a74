// A barrier and a semaphore, built on tuples: nothing but out, take, read and exchange.
import { cluster } from 'tutti';
import { ANY, type SpaceGlobal, tupleSpace } from 'tutti/paradigms';

declare const space: SpaceGlobal; // on engines
declare const engine: { id: number; size: number };

await using client = await cluster({ engines: 4, kind: 'thread' });
const shared = client.use(tupleSpace);
await shared.out(['arrived', 0]);
await shared.outMany([['permit'], ['permit']]); // two may be inside at a time
await shared.out(['inside', 0, 0]); // now, and at most

async function meet(): Promise<string> {
  // The semaphore: a permit that is reserved comes back even if this engine dies.
  const permit = await space.reserve(['permit']);
  const [, now, most] = await space.take(['inside', ANY, ANY]);
  await space.out(['inside', now + 1, Math.max(most, now + 1)]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const [, then, peak] = await space.take(['inside', ANY, ANY]);
  await space.out(['inside', then - 1, peak]);
  await permit.release();

  // The barrier: the last to arrive opens the gate, which all others wait to read.
  const [, count] = await space.take(['arrived', ANY]);
  await space.out(['arrived', count + 1]);
  if (count + 1 === engine.size) await space.out(['gate']);
  await space.read(['gate']);
  return `engine ${engine.id} goes on when ${(await space.read(['arrived', ANY]))[1]} have arrived`;
}

for (const line of await client.all.apply(meet)) console.log(line);
console.log('inside, now and at most:', (await shared.read(['inside', ANY, ANY])).slice(1));

// Prints:
//   engine 0 goes on when 4 have arrived
//   engine 1 goes on when 4 have arrived
//   engine 2 goes on when 4 have arrived
//   engine 3 goes on when 4 have arrived
//   inside, now and at most: [ 0, 2 ]
