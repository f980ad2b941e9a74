import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CloseReason } from '../../core/wire/transport.ts';
import { socket } from '../../transports/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tutti-sockets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const listen = (url: string) => socket().listen(new URL(url), () => {});

describe('socket addresses', () => {
  test.each([
    [`unix:/${'x'.repeat(101)}`, /102 bytes.*shorter directory/],
    ['unix:relative.sock', /names no socket file/],
    ['unix:/%zz', /percent escape/],
    ['tcp://localhost', /names no host and port/],
    ['tcp://192.0.2.1:0', /does not have that address \(EADDRNOTAVAIL\)/],
    [`unix:${folder}/missing/a.sock`, /\((ENOENT|EACCES)\)/],
  ])('%s is refused with a reason', async (url, message) => {
    await expect(listen(url)).rejects.toThrow(message);
  });

  test('a socket file that a killed process left is replaced, one in use or of another kind is not', async () => {
    const path = join(folder, 'stale one.sock');
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`;
    const owner = spawn(process.execPath, ['-e', program]);
    await once(owner.stdout, 'data'); // the file is there a little before
    await expect(listen(`unix:${path}`)).rejects.toThrow(/in use/);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const listener = await listen(`unix:${path}`);
    await listener.close();
    await expect.poll(() => existsSync(path)).toBe(false);
    writeFileSync(path, 'precious');
    await expect(listen(`unix:${path}`)).rejects.toThrow(/in use/);
    expect(existsSync(path)).toBe(true);
  });

  test('a peer that sends nonsense is cut off as a breach of protocol', async () => {
    const reasons: CloseReason[] = [];
    const listener = await socket().listen(new URL('tcp://127.0.0.1:0'), (c) => {
      c.receive({ message() {}, close: (reason) => reasons.push(reason) });
    });
    const stranger = net.connect(Number(new URL(listener.url).port), '127.0.0.1');
    stranger
      .on('error', () => {})
      .resume()
      .write('GET / HTTP/1.1\r\n\r\n');
    await once(stranger, 'close');
    expect(reasons.map(({ code }) => code)).toEqual(['protocol']);
    await listener.close();
  });
});
