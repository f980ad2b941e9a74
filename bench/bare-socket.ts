/** A round trip between two processes with nothing but Node's own sockets: what nothing in Node that goes there and back can be below. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

export interface BareSocket {
  /** 64 bytes to the other process, and back. */
  round(): Promise<unknown>;
  close(): void;
}

const ECHO = `require('node:net').createServer({ noDelay: true }, (socket) => socket.on('data', (bytes) => socket.write(bytes)))
  .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)); })`;

export async function bareSocket(): Promise<BareSocket> {
  const child = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout!, 'data');
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let arrived = (): void => {};
  socket.on('data', () => arrived());
  const bytes = new Uint8Array(64);
  return {
    round: () =>
      new Promise<void>((resolve) => {
        arrived = resolve;
        socket.write(bytes);
      }),
    close() {
      socket.destroy();
      child.kill();
    },
  };
}
