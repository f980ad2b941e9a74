/** What happens around the welcome, over real sockets. */
import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { TransportError } from '../../core/errors.ts';
import { dialSession } from '../../core/wire/dialled-session.ts';
import { Kind, pack, payloadText, textPayload } from '../../core/wire/envelope.ts';
import { meet, mintKey } from '../../core/wire/handshake.ts';
import { comesBack, takeMemory } from '../../core/wire/memory-pool.ts';
import { Session } from '../../core/wire/session.ts';
import { type Connection, type Listener, listen, registerTransport } from '../../core/wire/transport.ts';
import { socket } from '../../transports/socket.ts';

registerTransport(socket());
const key = mintKey('c');
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function welcoming(then: (connection: Connection) => void): Promise<Listener> {
  const listener = await listen('tcp://127.0.0.1:0', async (connection) => {
    const guest = await meet(connection, async () => ({ secret: key.secret, roles: ['client'] }));
    guest.welcome({ session: 's', resumed: false, received: 0, about: {} });
    then(connection);
    closing.push(() => connection.destroy());
  });
  closing.push(() => listener.close());
  return listener;
}

function dialled(...urls: string[]): Promise<{ session: Session; got: string[]; ended: string[] }> {
  const [got, ended]: [string[], string[]] = [[], []];
  return new Promise((resolve, reject) => {
    dialSession({
      urls,
      role: 'client',
      key,
      window: 100,
      about: () => ({}),
      handlers: {
        opened: (session) => {
          closing.push(() => session.abandon('over'));
          resolve({ session, got, ended });
        },
        message: (_, payloads) => got.push(payloadText(payloads[0])),
        ended: (reason) => ended.push(reason),
      },
    }).catch(reject);
  });
}

test('a large message may come right behind the welcome', async () => {
  const text = 'x'.repeat(200_000);
  const { url } = await welcoming((connection) =>
    connection.send(pack({ kind: Kind.EVENT, op: 'x' }, [textPayload(text)])),
  );
  const { got, ended } = await dialled(url);
  await expect.poll(() => got.length + ended.length).toBe(1);
  expect(ended).toEqual([]);
  expect(got[0] === text).toBe(true);
});

test('a connection that is cut during the first handshake is tried again', async () => {
  const { url } = await welcoming(() => {});
  const { hostname, port } = new URL(url);
  let cut = 0;
  const unsteady = net.createServer((near) => {
    if (cut++ < 2) return void near.once('data', () => near.resetAndDestroy());
    const far = net.connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => unsteady.listen(0, '127.0.0.1', resolve));
  closing.push(() => unsteady.close());
  const { session } = await dialled(`tcp://127.0.0.1:${(unsteady.address() as net.AddressInfo).port}`);
  expect([session.connected, cut]).toEqual([true, 3]);
});

test('or before it, as soon as it stands', async () => {
  const { url } = await welcoming(() => {});
  const { hostname, port } = new URL(url);
  const cut = new Int32Array(new SharedArrayBuffer(4));
  const unsteady = new Worker(UNSTEADY, { eval: true, workerData: { hostname, port, cut } });
  closing.push(() => unsteady.terminate());
  const [its] = await once(unsteady, 'message');
  const session = dialled(`tcp://127.0.0.1:${its}`);
  await new Promise(process.nextTick); // it has dialled by then,
  Atomics.wait(cut, 0, 0, 10_000); // and what it learns first is that the connection was cut
  expect([(await session).session.connected, cut[0]]).toEqual([true, 2]);
});

const UNSTEADY = `
  const { parentPort, workerData: { hostname, port, cut } } = require('node:worker_threads');
  const net = require('node:net');
  const server = net.createServer((near) => {
    if (cut[0] < 2) {
      near.resetAndDestroy();
      Atomics.add(cut, 0, 1);
      return Atomics.notify(cut, 0);
    }
    const far = net.connect(port, hostname);
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

test('where one address only cuts, the next one may answer', async () => {
  const { url } = await welcoming(() => {});
  const cutting = net.createServer((near) => void near.once('data', () => near.resetAndDestroy()));
  await new Promise<void>((resolve) => cutting.listen(0, '127.0.0.1', resolve));
  closing.push(() => cutting.close());
  const its = `tcp://127.0.0.1:${(cutting.address() as net.AddressInfo).port}`;
  expect((await dialled(its, url)).session.connected).toBe(true);
  await expect(dialled(its)).rejects.toThrow(TransportError);
});

test('memory that a peer claims to have before it has left is not used again', () => {
  const progress = { accepted: 0, written: 0 };
  let hear: (parts: Uint8Array[], lane: 0 | 1) => void = () => {};
  const connection = {
    capabilities: { lossless: false },
    progress,
    bufferedAmount: 0,
    receive: (handlers: { message: typeof hear }) => {
      hear = handlers.message;
    },
    destroy: () => {},
    send: (_: unknown, { lane = 1 } = {}) => void (progress.accepted += lane),
  } as unknown as Connection;
  const session = new Session('s', { message: () => {}, ended: () => {} });
  closing.push(() => session.abandon('over'));
  session.attach(connection, 0);
  const length = (1 << 20) + 64;
  const send = (): ArrayBufferLike => {
    const part = takeMemory(length);
    comesBack(part);
    session.send({ kind: Kind.EVENT, op: 'x' }, [{ codec: 'raw', parts: [part] }]);
    return part.buffer;
  };
  const early = send();
  hear(pack({ kind: Kind.ACK, received: 1 }), 0);
  expect(takeMemory(length).buffer === early).toBe(false);
  const written = send();
  progress.written = 2;
  hear(pack({ kind: Kind.ACK, received: 2 }), 0);
  expect(takeMemory(length).buffer === written).toBe(true);
});

test('a signal that is aborted after the first connection does not keep the session from coming back', async () => {
  const there: Connection[] = [];
  const listener = await listen('tcp://127.0.0.1:0', async (connection) => {
    const guest = await meet(connection, async () => ({ secret: key.secret, roles: ['client'] }));
    guest.welcome({ session: 's', resumed: there.push(connection) > 1, received: 0, about: {} });
    closing.push(() => connection.destroy());
  });
  closing.push(() => listener.close());
  const first = new AbortController();
  const told: string[] = [];
  await dialSession({
    urls: [listener.url],
    role: 'client',
    key,
    window: 500,
    signal: first.signal,
    about: () => ({}),
    handlers: {
      opened: (session) => void closing.push(() => session.abandon('over')),
      message: () => {},
      resumed: () => void told.push('resumed'),
      ended: (reason) => void told.push(reason),
    },
  });
  first.abort();
  there[0]!.destroy('cut');
  await expect.poll(() => told, { timeout: 5_000 }).toEqual(['resumed']);
});

test('a URL that does not answer at all is a failure of the transport, like any other', async () => {
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort(late));
  closing.push(() => vi.restoreAllMocks());
  const error = await dialled('tcp://127.0.0.1:9').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TransportError);
  expect((error as Error).message).toBe('Cannot dial tcp://127.0.0.1:9: no answer within 10 s');
});

test('where something else answers, the next address is tried', async () => {
  // It speaks frames, and no handshake of ours.
  const other = await listen('tcp://127.0.0.1:0', (connection) => {
    connection.send(pack({ kind: Kind.EVENT, op: 'who are you' }));
    connection.receive({ message() {}, close() {} });
    closing.push(() => connection.destroy());
  });
  closing.push(() => other.close());
  const { url } = await welcoming((connection) => connection.send(pack({ kind: Kind.EVENT }, [textPayload('here')])));
  const { got } = await dialled(other.url, url);
  await expect.poll(() => got).toEqual(['here']);
  await expect(dialled(other.url)).rejects.toThrow(/did not answer as a tutti controller/);
});
