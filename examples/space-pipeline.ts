// A pipeline of stages: each takes from the stage before and puts out for the next. A bound keeps the first from running ahead.
import { cluster } from 'tutti';
import { ANY, type SpaceGlobal, tupleSpace } from 'tutti/paradigms';

declare const space: SpaceGlobal; // on engines

await using client = await cluster({ engines: 3, kind: 'thread' });
const words = 'tuples flow from stage to stage and the space keeps them apart'.split(' ');
for (const name of ['raw', 'loud', 'long']) client.use(tupleSpace, { name, bound: 4 });

async function stage(from: string, to: string, change: (word: string) => string, count: number): Promise<void> {
  const target = space(to);
  for (let i = 0; i < count; i++) {
    const [, word] = await space(from).take([i, ANY]);
    await target.out([i, change(word)]);
  }
}

const stages = [
  client.engine(0).apply(stage, 'raw', 'loud', (word: string) => word.toUpperCase(), words.length),
  client.engine(1).apply(stage, 'loud', 'long', (word: string) => word.padEnd(6, '.'), words.length),
];
const raw = client.use(tupleSpace<[number, string]>, { name: 'raw' });
const fed = (async () => {
  for (const [i, word] of words.entries()) await raw.out([i, word]);
})();

const long = client.use(tupleSpace<[number, string]>, { name: 'long' });
const found: string[] = [];
for (const i of words.keys()) found.push((await long.take([i, ANY]))[1]);
await Promise.all([...stages, fed]);
console.log(found.join(' '));

// Prints:
//   TUPLES FLOW.. FROM.. STAGE. TO.... STAGE. AND... THE... SPACE. KEEPS. THEM.. APART.
