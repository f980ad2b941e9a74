/** A listener for `ws:`, for tests of clients only: the binary messages of one direction are the stream that tcp carries. */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { TransportError } from '../../../core/errors.ts';
import { FrameAssembler } from '../../../core/wire/frame-assembler.ts';
import { FrameBatch } from '../../../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../../../core/wire/frame-connection.ts';
import { FrameReader } from '../../../core/wire/frame-reader.ts';
import { cut } from '../../../core/wire/framing.ts';
import type { Transport } from '../../../core/wire/transport.ts';

const capabilities = {
  sharedMemory: false,
  transfer: false,
  maxMessage: 2 ** 31 - 1,
  crossHost: true,
  lossless: false,
};

function connectionOver(socket: WebSocket): FrameConnection {
  const batch = new FrameBatch();
  const link: Link = {
    capabilities,
    remote: 'ws://page',
    start: () => socket.resume(),
    write(outbox, sent) {
      const weight = cut(outbox, batch);
      if (!batch.finish()) return false;
      const whole = Buffer.concat(batch.buffers);
      batch.reset();
      socket.send(whole, (error) => error || sent(weight));
      return true;
    },
    allowLarge: () => assembler.allowLarge(),
    end: () => socket.close(),
    destroy: () => socket.terminate(),
  };
  const connection = new FrameConnection(link);
  const assembler = new FrameAssembler(connection);
  const reader = new FrameReader(assembler);
  socket.on('message', (data: Buffer) => {
    try {
      reader.push(data, 0, data.length);
    } catch (error) {
      connection.violated((error as Error).message);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => connection.gone());
  socket.pause();
  return connection;
}

export function wsListener(): Transport {
  return {
    schemes: ['ws'],
    listen: ({ hostname, port }, accept) =>
      new Promise((resolve, reject) => {
        const server: WebSocketServer = new WebSocketServer({ host: hostname, port: Number(port || 0) }, () =>
          resolve({
            url: `ws://${hostname}:${(server.address() as AddressInfo).port}`,
            close: async () => void server.close(),
          }),
        );
        server
          .once('error', (e) => reject(new TransportError(`ws://${hostname}:${port}: ${e.message}`)))
          .on('connection', (socket: WebSocket) => accept(connectionOver(socket)));
      }),
    dial: () => Promise.reject(new Error('This listener does not dial')),
  };
}
