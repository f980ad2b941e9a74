/** What once went wrong, or nearly: each of these hung an engine, crashed the program or gave a wrong value. */
import {
  CancelledError,
  type Client,
  cluster,
  DependencyError,
  EngineLostError,
  processLauncher,
  TimeoutError,
  UsageError,
  ValueLostError,
} from 'tutti';
import { describe, expect, test } from 'vitest';

const later = (): Promise<never> => new Promise<never>(() => setInterval(() => {}, 1_000));

/** The engine answers: nothing is stuck in front of this. */
const answers = async (client: Client, id: number): Promise<void> =>
  expect(await client.engine(id).execute('1 + 1')).toBe(2);

test('what a map captures goes to every thread engine, also when it is large enough to be handed over', async () => {
  await using client = await cluster({ engines: 3, kind: 'thread' });
  const table = new Float64Array(1_000).fill(2);
  const text = 'x'.repeat(10_000);
  expect(await client.all.map((x) => x + table[0]! + text.length, [1, 2, 3])).toEqual([10_003, 10_004, 10_005]);
});

test('thread and process engines side by side: one value read by an engine and fetched by the client at once', async () => {
  await using client = await cluster({ engines: 1, kind: 'thread' });
  await client.add(1, 'process');
  for (let round = 0; round < 3; round++) {
    const made = client.engine(0).apply(() => new Float64Array(1_000_000).fill(1.5));
    const used = client.engine(1).apply((v: Float64Array) => v.reduce((a, b) => a + b, 0), made);
    const [value, sum] = await Promise.all([made, used]);
    expect([value.length, value[999_999], sum]).toEqual([1_000_000, 1.5, 1_500_000]);
  }
  const data = new Float64Array(500_000).fill(3);
  await client.all.push({ data });
  expect(await client.all.execute('[data.length, data[499999]]')).toEqual([
    [500_000, 3],
    [500_000, 3],
  ]);
});

describe.each(['process', 'thread'] as const)('odd outcomes of user code on a %s engine', (kind) => {
  test('leave it fit for the next call', async () => {
    await using client = await cluster({ engines: 1, kind });
    const one = client.engine(0);
    expect(await one.apply(() => ({ then: (f: (v: number) => void) => f(5) }))).toBe(5);
    const odd = [
      () => {
        throw Object.defineProperty(new Error('unreadable'), 'stack', { get: () => JSON.parse('{') });
      },
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        throw proxy;
      },
      () => Promise.reject(),
      () => {
        throw null;
      },
    ];
    for (const fn of odd) await expect(one.apply(fn)).rejects.toThrow();
    await answers(client, 0);
  });
});

describe('pending results that will never be there', () => {
  test('of an engine that was restarted', async () => {
    await using client = await cluster({ engines: 2 });
    const made = client.engine(0).apply(() => new Float64Array(100_000));
    await client.engine(0).execute('1');
    await client.restart([0]);
    const error = await client
      .engine(1)
      .apply((v: Float64Array) => v.length, made)
      .catch((e) => e);
    expect(error).toBeInstanceOf(DependencyError);
    expect(error.cause).toBeInstanceOf(ValueLostError);
    await answers(client, 1);
  });

  test('of a call that was cancelled while it ran', async () => {
    await using client = await cluster({ engines: 2 });
    const made = client.engine(0).apply(later);
    const used = expect(client.engine(1).apply((v: never) => v, made)).rejects.toThrow(DependencyError);
    await made.cancel();
    await expect(made).rejects.toThrow(CancelledError);
    await used;
    await answers(client, 1);
  });

  test('of a call that rejected with nothing at all', async () => {
    await using client = await cluster({ engines: 1 });
    const bad = client.engine(0).apply(() => Promise.reject());
    await expect(client.engine(0).apply((v: never) => v, bad)).rejects.toThrow(DependencyError);
    await expect(bad).rejects.toThrow();
  });

  test('of another cluster', async () => {
    await using here = await cluster({ engines: 1, kind: 'thread' });
    await using there = await cluster({ engines: 1, kind: 'thread' });
    await here.engine(0).execute('"not this one"');
    const made = there.engine(0).apply(later);
    await expect(here.engine(0).apply((v: never) => v, made)).rejects.toThrow(UsageError);
    void made.cancel();
    await expect(made).rejects.toThrow(CancelledError);
    const small = there.engine(0).execute('"a value"');
    await small;
    expect(await here.engine(0).apply((v: string) => v, small)).toBe('a value');
  });
});

test('a cancel and an interrupt that are under way when their client closes are answered, and no error to who does not wait', async () => {
  const client = await cluster({ engines: 2, kind: 'thread' });
  const calls = [0, 1].map((id) => client.engine(id).apply(later));
  const ended = Promise.allSettled(calls);
  const stopped = Promise.allSettled([calls[0]!.cancel(), calls[1]!.interrupt()]);
  await client.close();
  await ended;
  for (const [engine, answer] of (await stopped).entries())
    expect(answer).toMatchObject({ status: 'fulfilled', value: [{ engine, outcome: expect.any(String) }] });
});

test('restarts of one engine at the same time happen one after the other', async () => {
  await using client = await cluster({ engines: 1 });
  await Promise.all([client.restart([0]), client.restart([0])]);
  expect(client.engines[0]).toMatchObject({ incarnation: 3, state: 'alive' });
  await answers(client, 0);
});

test('a grandchild that holds the output pipe does not hide how the engine ended', async () => {
  await using client = await cluster({ engines: 1, output: 'ignore' });
  const grandchild = await client
    .engine(0)
    .execute(
      'require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: "inherit" }).pid',
    );
  const pending = client.engine(0).apply(later);
  process.kill(client.engines[0]!.pid, 'SIGKILL');
  const error = await pending.catch((e) => e);
  expect(error).toBeInstanceOf(EngineLostError);
  expect(error.signal).toBe('SIGKILL');
  process.kill(grandchild, 'SIGKILL');
});

test('arguments beyond what a message can hold are the call’s error, and nothing is out of step afterwards', async () => {
  await using client = await cluster({ engines: 1 });
  const parts = Array.from({ length: 70_000 }, () => new Float64Array(513));
  await expect(client.all.push({ parts })).rejects.toThrow(/70\d{3} parts is too large/);
  await answers(client, 0);
});

test('calls that timed out while they ran leave their results on no engine', async () => {
  await using client = await cluster({ engines: 0 });
  await client.add(1, processLauncher({ execArgv: ['--expose-gc'] }));
  const one = client.engine(0);
  for (let round = 0; round < 4; round++) {
    // The timeout aborts the signal; only then the large result is made, too late.
    const slow = one.with({ timeout: 20 }).apply(async () => {
      const { task } = globalThis as unknown as { task: { signal: AbortSignal } };
      await new Promise((resolve) => {
        if (task.signal.aborted) resolve(undefined);
        else task.signal.addEventListener('abort', resolve);
      });
      return new Float64Array(2_500_000);
    });
    await expect(slow).rejects.toThrow(TimeoutError);
  }
  // When this answers, the late replies have come; what the client did about them arrives before the next call.
  await answers(client, 0);
  // The collector sweeps buffers in its own time.
  await expect.poll(() => one.execute('gc(); process.memoryUsage().arrayBuffers')).toBeLessThan(20_000_000);
});

test('misspelt and senseless options are refused', async () => {
  await expect(cluster(4 as never)).rejects.toThrow(/options of cluster are an object/);
  await expect(cluster({ engin: 2 } as never)).rejects.toThrow(/no option 'engin'/);
  await expect(cluster({ engines: 1, cwd: '/no/such/folder' })).rejects.toThrow(/is no folder/);
  await using client = await cluster({ engines: 1, kind: 'thread' });
  expect(() => client.all.with({ timeot: 5 } as never)).toThrow(/no option 'timeot'/);
  expect(() => client.all.with({ timeout: -5 })).toThrow(/0 or more/);
  await expect(client.all.push('x' as never)).rejects.toThrow(/push takes an object/);
  await expect(client.view([]).execute('1')).rejects.toThrow(/view has no engines/);
});
