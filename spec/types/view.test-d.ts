/** Compiled, never run: what views infer, and what they refuse. */
import type { AsyncResult, Client, Deferred, EngineView, Opaque, RunResult, Settled, View } from 'tutti';
import { ref, remote, share, transfer } from 'tutti';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function is<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: Same<Actual, Expected> extends true ? [] : ['not the same type']
  ): void => {};
}

declare const client: Client;
const all: View = client.all;
const one: EngineView = client.engine(0);

is<AsyncResult<any[]>>()(all.execute('1'));
is<AsyncResult<any>>()(one.execute`1 + ${2}`);
is<AsyncResult<any[]>>()(all.px`${all.execute('1')} + ${ref('x')}`);

is<AsyncResult<number[]>>()(all.apply((x: number) => x + 1, 1));
is<AsyncResult<number>>()(one.apply((x: number) => x + 1, 1));
is<AsyncResult<string[]>>()(all.apply(async () => 'x'));
is<AsyncResult<string>>()(one.apply(ref<(n: number) => string>('f'), 1));
is<AsyncResult<number[]>>()(
  all.apply(
    remote((x: number) => x),
    1,
  ),
);
is<AsyncResult<number[]>>()(all.apply((a: number, b?: number) => a + (b ?? 0), 1));
// @ts-expect-error: not a number
all.apply((x: number) => x + 1, 'one');
// @ts-expect-error: one is missing
all.apply((x: number, y: number) => x + y, 1);
// @ts-expect-error: no function
all.apply(5);

// A pending result and a ref stand for their value, at any depth.
const number = one.execute('1') as AsyncResult<number>;
const list = all.apply(() => 'x');
all.apply((x: number, y: string[]) => y.length + x, number, list);
all.apply((o: { a: { b: number[] } }) => o.a.b.length, { a: { b: [number, 1, ref<number>('n')] } });
all.apply((o: { a: string[] }) => o.a.length, { a: list });
all.apply((x: number) => x, ref<number>('n'));
one.apply((bytes: Uint8Array) => bytes.length, transfer(new Uint8Array(1)));
one.apply((counts: Int32Array) => counts.length, share(new Int32Array(1)));
one.apply((m: Map<string, number>) => m.size, new Map([['a', 1]]));
// @ts-expect-error: a list, not a number
all.apply((x: number) => x, list);
// @ts-expect-error: text where a number belongs
all.apply((o: { a: number }) => o.a, { a: ref<string>('s') });

is<AsyncResult<number[], number[]>>()(all.map((x) => x * 2, [1, 2]));
is<AsyncResult<number[], number[]>>()(one.map(async (x) => x.length, new Set(['a'])));
is<AsyncResult<string[], string[]>>()(all.map((n: number, s: string) => s.repeat(n), [1, 2], ['a', 'b']));
is<AsyncResult<boolean[], boolean[]>>()(all.map(ref<(x: number) => boolean>('even'), new Float64Array(2)));
// @ts-expect-error: strings for a function of numbers
all.map((x: number) => x, ['a']);
// @ts-expect-error: not iterable
all.map((x: number) => x, 5);

is<AsyncResult<void>>()(all.push({ a: 1, b: number }));
is<AsyncResult<number[]>>()(all.pull<number>('x'));
is<AsyncResult<number>>()(one.pull<number>('x'));
is<AsyncResult<[number, string], [number, string]>>()(one.pull<[number, string]>(['x', 'y']));
is<AsyncResult<any[][]>>()(all.pull(['x', 'y']));
is<AsyncResult<void>>()(all.scatter('x', new Float64Array(3), { by: 'cyclic' }));
is<AsyncResult<string[], string[]>>()(all.gather<string>('x'));
is<AsyncResult<Float64Array>>()(all.gather<Float64Array>('x'));
// @ts-expect-error: no such distribution
all.scatter('x', [1], { by: 'chunk' });
// @ts-expect-error: not iterable
all.scatter('x', 5);

const scale = all.wrap((x: number, y: { z: string }) => `${x}${y.z}`);
is<AsyncResult<string[]>>()(scale(number, { z: 'a' }));
is<AsyncResult<string>>()(one.wrap(async (x: number) => String(x))(1));
// @ts-expect-error: not a number
scale('a', { z: 'a' });

is<AsyncResult<RunResult[]>>()(all.run('a.ts', { args: ['a'] }));
is<AsyncResult<RunResult>>()(one.run(new URL('file:///a.ts')));
is<AsyncResult<void>>()(all.clear());
is<View>()(all.with({ timeout: 1, label: 'a', signal: AbortSignal.abort() }));
is<EngineView>()(one.with({}));
is<View>()(client.view([0, 1]));
is<View>()(client.view((e) => e.state === 'alive' && e.id > 0));
// @ts-expect-error: timeout is in milliseconds
all.with({ timeout: '1 s' });

is<string[]>()(null as unknown as Awaited<typeof list>);
is<Promise<Settled<string>[]>>()(list.settled());
is<Promise<Map<number, Settled<string>>>>()(list.byEngine());
is<Promise<Settled<number>[]>>()(number.settled());
is<Deferred<number>>()(list.addCallback((texts) => texts.length));
is<AsyncResult<number[]>>()(list.pipe((text, n: number) => text.length + n, 1));
declare const shown: Opaque;
is<string>()(shown.text);

// What one engine gives is one part, also when it is a list; blocks of map are parts as they are.
is<Promise<Settled<number[]>[]>>()(one.apply(() => [1, 2]).settled());
is<Promise<Settled<number>[]>>()(all.apply(() => 1).settled());
is<Promise<Settled<number[]>[]>>()(all.map((x) => x, [1]).settled());
is<AsyncResult<string, string>>()(one.apply(() => [1, 2]).pipe((xs) => xs.join()));
is<AsyncResult<string[], string>>()(all.apply(() => 1).pipe((x) => x.toFixed()));
