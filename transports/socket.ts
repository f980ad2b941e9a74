import net from 'node:net';
import { TransportError } from '../core/errors.ts';
import { FrameAssembler } from '../core/wire/frame-assembler.ts';
import { FrameBatch } from '../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../core/wire/frame-outbox.ts';
import { FrameReader } from '../core/wire/frame-reader.ts';
import { cut } from '../core/wire/framing.ts';
import type { Capabilities, Connection, Listener, Transport } from '../core/wire/transport.ts';
import { inWords, type SocketAddress, socketAddress, unlinkIfStale } from './socket-address.ts';

/** Sockets: `unix:/absolute/path.sock` and `tcp://host:port` (port 0 chooses one). */
export function socket(): Transport {
  return { schemes: ['unix', 'tcp'], listen, dial };
}

async function listen(url: URL, accept: (connection: Connection) => void): Promise<Listener> {
  const address = socketAddress(url);
  try {
    return await bind(address, accept);
  } catch (error) {
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (inUse && address.path !== undefined && (await unlinkIfStale(address.path))) {
      return await bind(address, accept).catch((again) => Promise.reject(failure('listen on', address, again)));
    }
    throw failure('listen on', address, error);
  }
}

function bind(address: SocketAddress, accept: (connection: Connection) => void): Promise<Listener> {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, (accepted) => {
    const link = new SocketLink(address.peer(accepted));
    link.attach(adopt(accepted, link.onread));
    accept(link.connection);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.options, () => {
      server.off('error', reject);
      // A failed accept (too many open files) concerns one dialler, who sees it; the listener goes on.
      server.on('error', () => {});
      resolve({
        url: address.url(server.address()),
        // Closing frees the address at once; the server's own 'close' would wait for connections, which live on.
        close: async () => void server.close(),
      });
    });
  });
}

function dial(url: URL, { signal }: { signal?: AbortSignal | undefined }): Promise<Connection> {
  const address = socketAddress(url);
  const link = new SocketLink(url.href);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const dialled = net.connect({ ...address.options, noDelay: true, keepAlive: true, onread: link.onread });
    // Nothing is read before somebody receives.
    dialled.pause();
    const failed = (error: Error) => {
      signal?.removeEventListener('abort', aborted);
      reject(failure('dial', address, error));
    };
    const aborted = () => {
      dialled.off('error', failed).on('error', () => {});
      dialled.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', aborted, { once: true });
    dialled.once('error', failed).once('connect', () => {
      signal?.removeEventListener('abort', aborted);
      dialled.off('error', failed);
      link.attach(dialled);
      resolve(link.connection);
    });
  });
}

/** Takes over an accepted socket's handle, because only a socket's constructor lets us say where to read to. */
function adopt(accepted: net.Socket, onread: net.OnReadOpts): net.Socket {
  const inner = accepted as net.Socket & { _handle: unknown };
  const handle = inner._handle;
  inner._handle = null;
  return new net.Socket({ handle, onread, manualStart: true } as net.SocketConstructorOpts);
}

function failure(what: string, address: SocketAddress, error: unknown): TransportError {
  return new TransportError(`Cannot ${what} ${address.text}: ${inWords(error)}`, { cause: error });
}

class SocketLink implements Link {
  readonly capabilities: Capabilities;
  readonly remote: string;
  readonly connection: FrameConnection;
  readonly onread: net.OnReadOpts;
  readonly #assembler: FrameAssembler;
  readonly #batch = new FrameBatch();
  #socket!: net.Socket;

  constructor(remote: string) {
    this.remote = remote;
    this.capabilities = {
      sharedMemory: false,
      transfer: false,
      maxMessage: MAX_MESSAGE_BYTES,
      crossHost: !remote.startsWith('unix:'),
      lossless: false,
    };
    this.connection = new FrameConnection(this);
    this.#assembler = new FrameAssembler(this.connection);
    const reader = new FrameReader(this.#assembler);
    this.onread = {
      // Node accepts a function here that its type does not know: the place for each read in turn.
      buffer: (() => reader.memory()) as unknown as Uint8Array,
      callback: (length, bytes) => {
        try {
          reader.push(bytes as Uint8Array, 0, length);
        } catch (error) {
          this.connection.violated((error as Error).message);
        }
        return true;
      },
    };
  }

  attach(socket: net.Socket): void {
    this.#socket = socket;
    let error: string | undefined;
    socket.on('error', (e) => {
      error = `The connection with ${this.remote} was lost: ${inWords(e)}`;
    });
    socket.on('close', () => this.connection.gone(error));
  }

  start(): void {
    this.#socket.resume();
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const batch = this.#batch;
    const socket = this.#socket;
    const weight = cut(outbox, batch);
    if (!batch.finish()) return false;
    const { buffers } = batch;
    const done = () => {
      batch.reset();
      sent(weight);
    };
    socket.cork();
    for (let i = 0; i < buffers.length - 1; i++) socket.write(buffers[i]!);
    socket.write(buffers.at(-1)!, (error) => error || done());
    socket.uncork();
    return true;
  }

  allowLarge(): void {
    this.#assembler.allowLarge();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
