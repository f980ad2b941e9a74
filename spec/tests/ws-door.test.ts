/** Web pages, plain requests and clumsy peers at a WebSocket listener. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { CloseReason, Connection, Listener } from '../../core/wire/transport.ts';
import { ws } from '../../transports/index.ts';

let listener: Listener;
const accepted: Connection[] = [];
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.on('error', () => {}).terminate();
  for (const connection of accepted.splice(0)) connection.destroy();
  await listener.close();
});

async function open(url: string, origins?: string[]): Promise<number> {
  listener = await ws().listen(new URL(url), (c) => accepted.push(c), origins && { origins });
  return Number(new URL(listener.url).port);
}

/** What a web page of this origin is told: 101, or the refusal. */
async function visit(
  port: number,
  headers: Record<string, string>,
  path = '',
): Promise<{ status: number; text: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ status: 101, text: '' }));
    socket.once('error', reject);
    socket.once('unexpected-response', async (_, response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode ?? 0, text });
    });
  });
}

describe('origins', () => {
  test.each<[string, string, string[], (port: number) => string, number]>([
    ["the listener's own", 'ws://127.0.0.1:0', [], (port) => `http://127.0.0.1:${port}`, 101],
    ['the same host by name', 'ws://127.0.0.1:0', [], (port) => `http://localhost:${port}`, 101],
    ['another port', 'ws://127.0.0.1:0', [], () => 'http://127.0.0.1:1', 403],
    ['another scheme', 'ws://127.0.0.1:0', [], (port) => `https://127.0.0.1:${port}`, 403],
    ['a stranger', 'ws://127.0.0.1:0', [], () => 'https://evil.example', 403],
    ['no origin to speak of', 'ws://127.0.0.1:0', [], () => 'null', 403],
    ['one that only begins alike', 'ws://127.0.0.1:0', [], (port) => `http://127.0.0.1:${port}.evil.example`, 403],
    ['a listed one', 'ws://127.0.0.1:0', ['https://good.example'], () => 'https://good.example', 101],
    [
      'a listed one with its usual port',
      'ws://127.0.0.1:0',
      ['https://good.example:443/'],
      () => 'https://good.example',
      101,
    ],
    ['a relative of a listed one', 'ws://127.0.0.1:0', ['https://good.example'], () => 'https://a.good.example', 403],
    [
      'this machine by name, at any address',
      'ws://0.0.0.0:0',
      [],
      (port) => `http://${hostname().toLowerCase()}:${port}`,
      101,
    ],
    ['loopback, at any address', 'ws://0.0.0.0:0', [], (port) => `http://127.0.0.1:${port}`, 101],
    ['a stranger, at any address', 'ws://0.0.0.0:0', [], () => 'https://evil.example', 403],
  ])('%s', async (_what, url, origins, origin, status) => {
    const port = await open(url, origins);
    const answer = await visit(port, { Origin: origin(port) });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.text).toMatch(/not let in here\. .*--origin\n$/);
    expect(accepted.length).toBe(status === 101 ? 1 : 0);
  });

  test('a page that makes its own name lead here does not become the same origin', async () => {
    const port = await open('ws://127.0.0.1:0');
    const host = `evil.example:${port}`;
    expect(await visit(port, { Host: host, Origin: `http://${host}` })).toMatchObject({ status: 403 });
  });

  test('a program, which has none, comes in', async () => {
    expect(await visit(await open('ws://127.0.0.1:0'), {})).toMatchObject({ status: 101 });
  });

  test('what is no origin is refused at the start', async () => {
    for (const origin of ['example.org', 'https://example.org/page', '*'])
      await expect(ws().listen(new URL('ws://127.0.0.1:0'), () => {}, { origins: [origin] })).rejects.toThrow(
        /is no origin/,
      );
    await open('ws://127.0.0.1:0');
  });
});

test('another path leads nowhere', async () => {
  const port = await open('ws://127.0.0.1:0/tutti');
  expect(await visit(port, {}, '/')).toMatchObject({ status: 404, text: expect.stringContaining('listens at /tutti') });
  expect(await visit(port, {}, '/tutti')).toMatchObject({ status: 101 });
});

test('a plain request is told what this is', async () => {
  const port = await open('ws://127.0.0.1:0');
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(await answer.text()).toMatch(/tutti controller.*WebSocket/);
});

describe('messages that are none', () => {
  test.each<[string, string | Buffer, RegExp]>([
    ['text', 'hello', /all messages are binary/],
    ['nonsense', Buffer.from('GET / HTTP/1.1'), /a frame (of \d+ bytes|on lane)/],
    ['more than one may hold', Buffer.alloc(1024 * 1024 + 1), /Max payload size exceeded/],
  ])('%s', async (_what, data, words) => {
    const port = await open('ws://127.0.0.1:0');
    await visit(port, {});
    await expect.poll(() => accepted.length).toBe(1);
    const reasons: CloseReason[] = [];
    accepted[0]!.receive({ message() {}, close: (reason) => reasons.push(reason) });
    sockets[0]!.on('error', () => {}).send(data);
    await once(sockets[0]!, 'close');
    await expect.poll(() => reasons).toEqual([{ code: 'protocol', message: expect.stringMatching(words) }]);
    expect(await visit(port, {})).toMatchObject({ status: 101 });
  });

  test('however it is cut into messages, the stream is the same', async () => {
    const port = await open('ws://127.0.0.1:0');
    await visit(port, {});
    await expect.poll(() => accepted.length).toBe(1);
    const received: string[] = [];
    accepted[0]!.receive({ message: (parts) => received.push(Buffer.concat(parts).toString()), close() {} });
    // Two messages of one part: length, flags (lane 1, FIRST, LAST), part table, part.
    const frame = Buffer.from('0a00000031010000000200000068690a000000310100000002000000686f', 'hex');
    for (const byte of frame) sockets[0]!.send(Buffer.of(byte));
    await expect.poll(() => received).toEqual(['hi', 'ho']);
  });
});
