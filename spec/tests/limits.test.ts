/** What one client may take of a cluster: beyond it that call fails, and nothing else does. */
import { type Cluster, type CompositeError, cluster, LimitError, UsageError } from 'tutti';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, openGate, pass } from './support/gate.ts';
import { using } from './support/shared.ts';

let gate: Gate;
beforeAll(async () => {
  gate = await openGate();
});
afterAll(() => gate.close());

async function limited(call: PromiseLike<unknown>, limit: string, max: number): Promise<LimitError> {
  const error = await Promise.resolve(call).then(
    () => expect.fail(`nothing met the limit ${limit}`),
    (e: unknown) => e as LimitError,
  );
  expect(error).toBeInstanceOf(LimitError);
  expect(error).toMatchObject({ code: 'LIMIT', limit, max });
  expect(error.message).toContain(`limits.${limit} of the cluster: ${max}`);
  return error;
}

const small = (c: Cluster, engine = 0) => c.engine(engine).apply(() => 'fine');

test('pending calls: one more than the limit fails, the others go on, and then there is room again', () =>
  using({ engines: 2, kind: 'thread', limits: { pendingCalls: 4 } }, async (c) => {
    const waiting = [c.all.apply(pass, gate.port, 'limits'), c.all.apply(() => 'behind it')];
    await limited(small(c), 'pendingCalls', 4);
    const both = c.all.execute('1').then(null, (error: CompositeError) => Promise.reject(error.errors[0]));
    const error = await limited(both, 'pendingCalls', 4);
    expect(error.message).toMatch(/^Client 1 would have 6 calls pending; await or cancel calls/);
    gate.open('limits');
    expect(await waiting[1]).toEqual(['behind it', 'behind it']);
    expect(await small(c)).toBe('fine');
  }));

test('retained bytes: what comes on top is let go; release() makes room', () =>
  using({ engines: 1, kind: 'thread', limits: { retainedBytes: 1_000_000 } }, async (c) => {
    const make = (n: number) => c.engine(0).apply((bytes: number) => new Uint8Array(bytes), n);
    const first = make(800_000);
    await small(c); // behind it
    const error = await limited(make(300_000), 'retainedBytes', 1_000_000);
    expect(error.message).toMatch(/would have \d+ bytes on engines; await results, or release\(\)/);
    expect((await first).length).toBe(800_000); // fetched, so it is gone from there
    const second = make(900_000);
    await small(c);
    second.release();
    expect((await make(900_000)).length).toBe(900_000);
  }));

test('code: a function too many fails; those that were sent work on', () =>
  using({ engines: 1, kind: 'thread', limits: { codeBytes: 10_000 } }, async (c) => {
    const twice = (x: number): number => x * 2;
    expect(await c.engine(0).apply(twice, 4)).toBe(8);
    const long = globalThis.eval(`(x) => { const text = '${'x'.repeat(20_000)}'; return x + text.length; }`);
    await limited(c.engine(0).apply(long, 1), 'codeBytes', 10_000);
    await limited(c.engine(0).apply(long, 1), 'codeBytes', 10_000);
    expect(await c.engine(0).apply(twice, 5)).toBe(10);
  }));

test('an engine that reads nothing: what is sent to it is bounded; calls to others go on, and so does it when it wakes', () =>
  using({ engines: 2, limits: { engineBytes: 4 << 20 } }, async (c) => {
    const { pid } = c.engines[0]!;
    process.kill(pid, 'SIGSTOP');
    try {
      const sent = Array.from({ length: 40 }, () => c.engine(0).push({ a: new Uint8Array(1 << 20) }));
      const outcomes = Promise.allSettled(sent);
      const error = await limited(sent.at(-1)!, 'engineBytes', 4 << 20);
      expect(error.message).toMatch(/^Engine 0 has not read \d+ bytes/);
      expect(Number(/read (\d+)/.exec(error.message)![1])).toBeLessThan((4 << 20) + (2 << 20));
      expect(await small(c, 1)).toBe('fine');
      process.kill(pid, 'SIGCONT');
      const refused = (await outcomes).filter((o) => o.status === 'rejected');
      expect(refused.every((o) => o.reason instanceof LimitError)).toBe(true);
      expect(refused.length).toBeLessThan(40);
      expect(await small(c)).toBe('fine');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }));

test('engines: no more than there may be', () =>
  using({ engines: 1, kind: 'thread', limits: { engines: 2 } }, async (c) => {
    await limited(c.add(2), 'engines', 2);
    expect(await c.add(1)).toEqual([1]);
    expect(await small(c, 1)).toBe('fine');
  }));

test('engines: also when several are added at once', () =>
  using({ engines: 0, kind: 'thread', limits: { engines: 2 } }, async (c) => {
    const added = await Promise.allSettled(Array.from({ length: 4 }, () => c.add(1)));
    expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(c.engines).toHaveLength(2);
  }));

test.each([{ pendigCalls: 1 }, { pendingCalls: -1 }, { pendingCalls: '5' }, { pendingCalls: Number.NaN }])(
  'the limits %j make no sense',
  (limits) => expect(cluster({ engines: 0, limits: limits as object })).rejects.toThrow(UsageError),
);
