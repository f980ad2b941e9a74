/** What TypeScript makes of spaces. Compiled, never run. */
import type { Client } from 'tutti';
import { ANY, type TupleSpace, t, tupleSpace } from 'tutti/paradigms';

declare const client: Client;

type Tuples = ['job', number] | ['done', number, { ok: boolean }] | { kind: 'note'; text: string };
const space: TupleSpace<Tuples> = client.use(tupleSpace<Tuples>, { name: 'typed' });

export const job: ['job', number] = await space.take(['job', ANY]);
export const done: ['done', number, { ok: boolean }] = await space.read(['done', t.range(1, 5), ANY]);
export const either: ['job' | 'done', ...unknown[]] | undefined = await space.tryTake([t.oneOf('job', 'done'), ANY]);
export const note: { kind: 'note'; text: string }[] = await space.readAll({ kind: 'note' });
export const both: [['job', number], { kind: 'note'; text: string }] = await space.exchange(
  [['job', t.type(Number)], { text: t.re(/x/) }],
  [['done', 1, { ok: true }]],
);
for await (const [, n] of space.consume(['job', ANY])) n.toFixed();
space.watch(['job', ANY]).subscribe(({ kind, tuple: [, n] }) => kind.at(n));
const held = await space.reserve(['job', 5]);
held.value[1].toFixed();

// @ts-expect-error: a job has a number
await space.out(['job', 'one']);
// @ts-expect-error: there is no such tuple
await space.take(['task', ANY]);
// @ts-expect-error: of two fields
await space.take(['job']);
// @ts-expect-error: it is a number, and never a text
await space.take(['job', t.re(/x/)]);
// @ts-expect-error: it has no such key
await space.take({ sort: 'note' });
// @ts-expect-error: a text
t.re('x');
// @ts-expect-error: no such order
client.use(tupleSpace<Tuples>, { order: 'any' });

/** Without a type, anything goes. */
const any = client.use(tupleSpace);
await any.out(['what', { you: 'like' }]);
export const found: { name: string } = (await any.take([ANY, t.type(Map), t.type('null'), { a: 1 }]))[1];
