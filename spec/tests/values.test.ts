/** Where the bytes of values go, and who owns their memory. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Client, cluster, share, transfer, ValueLostError } from 'tutti';
import { describe, test } from 'vitest';
import { openGate, pass } from './support/gate.ts';
import { shared } from './support/shared.ts';

const LARGE = 8 << 20;

/** Bytes that a process has read and written, over sockets too, as the system counts them. */
function bytesThrough(pid: number): number {
  const counts = Object.fromEntries(
    readFileSync(`/proc/${pid}/io`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(': ')),
  );
  return Number(counts.rchar) + Number(counts.wchar);
}

describe('a pending result of engine 0 in an argument on engine 1', () => {
  const open = shared(() => cluster({ engines: 2, controller: 'process', output: 'ignore' }));
  const makeAndUse = (client: Client) => {
    const made = client.engine(0).apply((n: number) => new Uint8Array(n).fill(7), LARGE);
    const used = client
      .engine(1)
      .apply((o: { deep: [Uint8Array] }) => o.deep[0].length + o.deep[0].at(-1)!, { deep: [made] });
    return { made, used };
  };

  test('does not pass through the client', async () => {
    const client = await open();
    const before = client.traffic;
    const { made, used } = makeAndUse(client);
    assert.equal(await used, LARGE + 7);
    const after = client.traffic;
    assert.ok(after.sent - before.sent < 100_000, `${after.sent - before.sent} bytes were sent`);
    assert.ok(after.received - before.received < 100_000, `${after.received - before.received} bytes were received`);
    assert.equal((await made).length, LARGE);
    assert.ok(client.traffic.received - after.received >= LARGE, 'traffic does count what comes here');
  });

  // Only Linux tells what another process has read and written.
  test.runIf(process.platform === 'linux')('does not pass through the controller', async () => {
    const client = await open();
    const { pid } = await client.status();
    assert.notEqual(pid, process.pid);
    const before = bytesThrough(pid);
    const { made, used } = makeAndUse(client);
    assert.equal(await used, LARGE + 7);
    const after = bytesThrough(pid);
    assert.ok(after - before < 1_000_000, `${after - before} bytes went through the controller`);
    await made;
    assert.ok(bytesThrough(pid) - after >= 2 * LARGE, 'the measure does see what passes through');
  });
});

describe.each(['process', 'thread'] as const)('values on %s engines', (kind) => {
  const open = shared(() => cluster({ engines: 2, kind, output: 'ignore' }));
  const sums = (view: Client['all'], data: Float64Array) =>
    view.apply((d: Float64Array) => d.reduce((a, b) => a + b, 0), data);

  test('are copies, unless said otherwise', async () => {
    const { all } = await open();
    const mine = new Float64Array([1, 2, 3]);
    await all.push({ mine });
    await all.execute('mine[0] = 100');
    assert.deepEqual(mine, new Float64Array([1, 2, 3]));
  });

  test(`share: ${kind === 'thread' ? 'all see the same memory' : 'engines of other processes get copies'}`, async () => {
    const { all, engine } = await open();
    const counts = share(new Int32Array(4));
    await all.push({ counts });
    await all.execute('for (let i = 0; i < 1000; i++) Atomics.add(counts, 0, 1); counts[1 + engine.id] = 5; 0');
    const seen = kind === 'thread' ? [2000, 5, 5, 0] : [0, 0, 0, 0];
    assert.deepEqual([...counts], seen);
    assert.deepEqual([...(await engine(0).pull<Int32Array>('counts'))], kind === 'thread' ? seen : [1000, 5, 0, 0]);
    assert.equal(share(counts), counts, 'what is shared already is not copied');
  });

  test('transfer gives the memory away', async () => {
    const { all, engine } = await open();
    const gift = new Float64Array(1000).fill(2);
    const result = engine(1).apply((d: Float64Array) => d.reduce((a, b) => a + b, 0), transfer(gift));
    assert.equal(await result, 2000);
    assert.equal(gift.length, 0);
    const toAll = new Float64Array([1, 2, 3]);
    assert.deepEqual(await sums(all, transfer(toAll)), [6, 6]);
    assert.equal(toAll.buffer.byteLength, 0);
  });

  test('several arrays over one buffer stay so', async () => {
    const { engine } = await open();
    const bytes = new Uint8Array(200_000);
    const words = new Uint32Array(bytes.buffer, 8, 2);
    const same = engine(0).apply(
      (o: { bytes: Uint8Array; words: Uint32Array }) => {
        o.words[0] = 258;
        return [o.bytes.buffer === o.words.buffer, o.bytes[8], o.bytes[9], o.words.byteOffset - o.bytes.byteOffset];
      },
      { bytes, words },
    );
    assert.deepEqual(await same, [true, 2, 1, 8]);
  });

  test('a result that only a queued call refers to is kept for it', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { engine } = await open();
    const gate = await openGate();
    try {
      // The value's maker ends at once; its user on engine 1 waits for a second value, which the gate holds up.
      const held = engine(0).apply((port: number) => pass(port, 'held').then(() => 1), gate.port);
      const used = engine(1).apply((big: Uint8Array, one: number) => big.length + one, bigOn(engine(1)), held);
      await gate.arrived('held');
      const late = engine(0).apply((big: Uint8Array) => big.length, bigOn(engine(1)));
      for (let i = 0; i < 5; i++) {
        collect();
        await new Promise((resolve) => setImmediate(resolve));
      }
      gate.open('held');
      assert.equal(await used, 300_001);
      assert.equal(await late, 300_000);
    } finally {
      await gate.close();
    }
  });

  test('release while a call waits for the value does not take it away from that call', async () => {
    const { engine } = await open();
    const gate = await openGate();
    try {
      const made = bigOn(engine(0));
      const busy = engine(0).apply((port: number) => pass(port, 'busy'), gate.port);
      await gate.arrived('busy');
      // Made and wanted on the same engine, behind a call that holds the turn: it is fetched only when that one ends.
      const used = engine(0).apply((big: Uint8Array) => big.length, made);
      made.release();
      await engine(1).execute('1');
      gate.open('busy');
      await busy;
      assert.equal(await used, 300_000);
      await assert.rejects(async () => made, ValueLostError);
    } finally {
      await gate.close();
    }
  });

  test('large results that nobody wants any more leave their engine', async () => {
    const { engine } = await open();
    const made = bigOn(engine(0));
    await engine(0).execute('1');
    made.release();
    made.release();
    await assert.rejects(async () => made, ValueLostError);
    assert.deepEqual((await made.settled())[0]?.status, 'rejected');
  });
});

function bigOn(engine: ReturnType<Client['engine']>) {
  return engine.apply((n: number) => new Uint8Array(n), 300_000);
}
