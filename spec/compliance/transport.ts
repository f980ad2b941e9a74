import assert from 'node:assert/strict';
import { TransportError } from '../../core/errors.ts';
import { type Connection, dial, type Listener, type Message, type Transport } from '../../core/wire/transport.ts';
import { connect, digest, MIB, number, pattern, record, SHAPES, settled, until } from './transport-helpers.ts';

export interface TransportFixture {
  readonly transport: Transport;
  /** A URL to listen on that nobody has used yet. */
  url(): string;
}

/** Any test runner: `(name, fn)`. */
export interface Runner {
  test(name: string, run: () => Promise<void>): void;
}

/** What every transport promises, as test cases. */
export function transportCompliance(fixture: TransportFixture, { test }: Runner): void {
  const { transport } = fixture;
  const withPair = (run: (near: Connection, far: Connection, listener: Listener) => Promise<void>) => async () => {
    const { near, far, listener } = await connect(fixture);
    try {
      await run(near, far, listener);
    } finally {
      near.destroy();
      far.destroy();
      await listener.close();
    }
  };

  test(
    'messages arrive whole and in order, at any size and number of parts',
    withPair(async (near, far) => {
      const messages = SHAPES.map((shape, i) => shape.map((length) => pattern(length, i)));
      const { received } = record(far);
      for (const message of messages) near.send(message);
      await until(() => received.length === messages.length);
      assert.deepEqual(received.map(digest), messages.map(digest));
    }),
  );

  test(
    '64 MiB arrives unchanged, in both directions at once',
    withPair(async (near, far) => {
      const big = [pattern(64 * MIB, 1)];
      const ends = [record(near), record(far)];
      near.send(big);
      far.send(big);
      await until(() => ends.every(({ received }) => received.length === 1));
      for (const { received } of ends) assert.equal(digest(received[0]!), digest(big));
    }),
  );

  test(
    'parts of 4 KiB and more can be viewed as any typed array',
    withPair(async (near, far) => {
      const { received } = record(far);
      near.send([pattern(3, 0), pattern(4096, 1), pattern(5, 2), pattern(8 * 40_000, 3)]);
      await until(() => received.length === 1);
      for (const part of [received[0]![1]!, received[0]![3]!]) {
        assert.equal(new Float64Array(part.buffer, part.byteOffset, part.length / 8).byteLength, part.length);
      }
    }),
  );

  test(
    'what is not given away stays with the sender, and neither sees the other write',
    withPair(async (near, far) => {
      const { received } = record(far);
      const mine = [pattern(100, 1), pattern(200_000, 2)];
      const before = digest(mine);
      near.send(mine);
      await until(() => received.length === 1);
      for (const part of received[0]!) part.fill(0);
      assert.equal(digest(mine), before);
      near.send(mine);
      await until(() => received.length === 2);
      for (const part of mine) part.fill(7);
      assert.equal(digest(received[1]!), before);
    }),
  );

  test(
    'what is given away arrives, also when parts share memory',
    withPair(async (near, far) => {
      const { received } = record(far);
      const memory = pattern(100_000, 3);
      const parts = [memory, memory.subarray(10), pattern(50_000, 4), memory.subarray(0, 0)];
      const before = digest(parts);
      near.send(parts, { owned: true });
      await until(() => received.length === 1);
      assert.equal(digest(received[0]!), before);
    }),
  );

  test(
    'shared memory stays shared where the transport says so',
    withPair(async (near, far) => {
      const { received } = record(far);
      const shared = new Uint8Array(new SharedArrayBuffer(16));
      near.send([shared]);
      await until(() => received.length === 1);
      received[0]![0]![0] = 9;
      assert.equal(shared[0], near.capabilities.sharedMemory ? 9 : 0);
    }),
  );

  test(
    'lane 0 overtakes a large message on lane 1',
    withPair(async (near, far) => {
      const { lanes } = record(far);
      near.send([new Uint8Array(64 * MIB)]);
      near.send([pattern(8, 0)], { lane: 0 });
      await until(() => lanes.length === 2);
      assert.deepEqual(lanes, [0, 1]);
    }),
  );

  test(
    'tens of thousands of small messages keep their order on both lanes',
    withPair(async (near, far) => {
      const { received, lanes } = record(far);
      const count = 30_000;
      for (let i = 0; i < count; i++) near.send([number(i)], { lane: i % 3 === 0 ? 0 : 1 });
      await until(() => received.length === count);
      for (const lane of [0, 1]) {
        const order = received
          .filter((_, i) => lanes[i] === lane)
          .map((m) => new DataView(m[0]!.slice().buffer).getUint32(0));
        assert.ok(order.every((n, i) => i === 0 || n > order[i - 1]!));
      }
    }),
  );

  test(
    'a reader that pauses holds its writer back, and nothing is lost',
    withPair(async (near, far) => {
      const { received, lanes } = record(far);
      let drained = 0;
      near.receive({ message() {}, close() {}, drain: () => drained++ });
      far.pause();
      const count = 48;
      for (let i = 0; i < count; i++) near.send([number(i), new Uint8Array(MIB)]);
      near.send([number(count)], { lane: 0 });
      await until(() => lanes.includes(0));
      await settled(() => near.bufferedAmount);
      assert.ok(near.bufferedAmount > 32 * MIB, `the reader took in ${count * MIB - near.bufferedAmount} bytes`);
      assert.equal(received.length, 1, 'lane 1 is not delivered while paused');
      assert.equal(drained, 0);
      far.resume();
      await until(() => received.length === count + 1);
      await until(() => drained === 1);
      assert.deepEqual(
        received.slice(1).map((m) => digest([m[0]!])),
        Array.from({ length: count }, (_, i) => digest([number(i)])),
      );
      assert.equal(near.bufferedAmount, 0);
    }),
  );

  test(
    'a handler that pauses gets exactly one message at a time',
    withPair(async (near, far) => {
      const seen: Message[] = [];
      far.receive({
        message(parts) {
          seen.push(parts);
          far.pause();
          setImmediate(() => far.resume());
        },
        close() {},
      });
      for (let i = 0; i < 50; i++) near.send([number(i)]);
      await until(() => seen.length === 50);
      assert.deepEqual(
        seen.map(digest),
        Array.from({ length: 50 }, (_, i) => digest([number(i)])),
      );
    }),
  );

  test(
    'receive may be called late',
    withPair(async (near, far) => {
      near.send([number(1)]);
      near.send([pattern(300_000, 2)]);
      const closed = near.close('that was all');
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      const { received, reasons } = record(far);
      await closed;
      await until(() => reasons.length === 1);
      assert.deepEqual(received.map(digest), [digest([number(1)]), digest([pattern(300_000, 2)])]);
      assert.deepEqual(reasons, [{ code: 'closed', message: 'that was all' }]);
    }),
  );

  test(
    'close sends what was accepted and tells both ends once; a second close is fine',
    withPair(async (near, far) => {
      const ends = [record(near), record(far)];
      near.send([pattern(20 * MIB, 5)]);
      await Promise.all([near.close('done for today'), near.close()]);
      await until(() => ends.every(({ reasons }) => reasons.length > 0));
      for (const { reasons } of ends) assert.deepEqual(reasons, [{ code: 'closed', message: 'done for today' }]);
      assert.equal(digest(ends[1]!.received[0]!), digest([pattern(20 * MIB, 5)]));
      near.send([number(1)]);
      far.send([number(1)]);
      await near.close();
      await far.close();
    }),
  );

  test(
    'close waits for a paused reader only so long, then cuts',
    withPair(async (near, far) => {
      const ends = [record(near), record(far)];
      far.pause();
      for (let i = 0; i < 20; i++) near.send([new Uint8Array(MIB)]);
      await near.close();
      await until(() => ends.every(({ reasons }) => reasons.length === 1));
      assert.deepEqual(
        ends.map(({ reasons }) => reasons[0]!.code),
        ['lost', 'lost'],
      );
    }),
  );

  test(
    'a cut is seen as a loss by both ends, once and with words',
    withPair(async (near, far) => {
      const ends = [record(near), record(far)];
      near.send([new Uint8Array(MIB)]);
      near.destroy('pulled the plug');
      near.destroy();
      near.send([number(1)]);
      await until(() => ends.every(({ reasons }) => reasons.length > 0));
      await near.close();
      await far.close();
      for (const { reasons } of ends) assert.deepEqual([reasons.length, reasons[0]!.code], [1, 'lost']);
      assert.equal(ends[0]!.reasons[0]!.message, 'pulled the plug');
      assert.notEqual(ends[1]!.reasons[0]!.message, '');
    }),
  );

  test('a hundred connections at once do not mix', async () => {
    const url = fixture.url();
    const listener = await transport.listen(new URL(url), (c) => {
      c.receive({ message: (parts) => c.send(parts), close() {} });
    });
    const connections = await Promise.all(Array.from({ length: 100 }, () => transport.dial(new URL(listener.url), {})));
    const ends = connections.map(record);
    connections.forEach((c, i) => {
      for (let k = 0; k < 20; k++) c.send([number(i)]);
    });
    await until(() => ends.every(({ received }) => received.length === 20));
    ends.forEach(({ received }, i) => {
      assert.ok(received.every((m) => digest(m) === digest([number(i)])));
    });
    await Promise.all(connections.map((c) => c.close()));
    await listener.close();
  });

  test('closing a listener frees its address and leaves its connections alone', async () => {
    const { near, far, listener } = await connect(fixture);
    const { received } = record(far);
    await listener.close();
    await listener.close();
    await assert.rejects(transport.dial(new URL(listener.url), {}), TransportError);
    const again = await transport.listen(new URL(listener.url), () => {});
    near.send([number(1)]);
    await until(() => received.length === 1);
    await again.close();
    await near.close();
  });

  test('an address that somebody listens on is refused', async () => {
    const first = await transport.listen(new URL(fixture.url()), () => {});
    await assert.rejects(
      transport.listen(new URL(first.url), () => {}),
      (error) => error instanceof TransportError && error.message.includes(first.url),
    );
    await first.close();
  });

  test('dialling where nobody listens fails', async () => {
    const listener = await transport.listen(new URL(fixture.url()), () => {});
    await listener.close();
    await assert.rejects(
      transport.dial(new URL(listener.url), {}),
      (error) => error instanceof TransportError && error.message.includes(listener.url),
    );
  });

  test('a dial can be aborted before and while it runs', async () => {
    const accepted: Connection[] = [];
    const listener = await transport.listen(new URL(fixture.url()), (c) => accepted.push(c));
    const reason = new Error('changed my mind');
    const dialling = async (signal: AbortSignal) => transport.dial(new URL(listener.url), { signal });
    await assert.rejects(dialling(AbortSignal.abort(reason)), reason);
    const during = new AbortController();
    const dialled = dialling(during.signal);
    during.abort(reason);
    await assert.rejects(dialled, reason);
    const ends = accepted.map(record);
    await until(() => ends.every(({ reasons }) => reasons.length === 1));
    await listener.close();
  });

  test('an unknown scheme is an error that names the known ones', async () => {
    await assert.rejects(
      async () => dial('carrier-pigeon:home'),
      (error) => error instanceof TransportError && error.message.includes('carrier-pigeon'),
    );
  });
}
