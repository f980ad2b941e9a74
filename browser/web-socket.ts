import { TransportError } from '../core/errors.ts';
import { FrameAssembler } from '../core/wire/frame-assembler.ts';
import { FrameBatch } from '../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../core/wire/frame-outbox.ts';
import { FrameReader } from '../core/wire/frame-reader.ts';
import { cut } from '../core/wire/framing.ts';
import { isShared } from '../core/wire/memory.ts';
import type { Capabilities, Connection, Listener, Transport } from '../core/wire/transport.ts';
import { pageOrigin } from './page.ts';
import { catchUp } from './timers.ts';

/** The browser's own sockets, `ws:` and `wss:`: the binary messages of one direction, put one after the other, are the stream that tcp carries. */
export function webSocket(): Transport {
  return { schemes: ['ws', 'wss'], listen, dial };
}

async function listen(url: URL): Promise<Listener> {
  throw new TransportError(`A browser cannot listen on ${url.href}; it can only dial`);
}

async function dial(url: URL, { signal }: { signal?: AbortSignal | undefined }): Promise<Connection> {
  signal?.throwIfAborted();
  const socket = open(url);
  const link = new WebSocketLink(url.href, socket);
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      finish();
      link.destroy();
      reject(signal?.reason);
    };
    const opened = (): void => {
      finish();
      resolve(link.connection);
    };
    const failed = (): void => {
      finish();
      reject(
        new TransportError(
          `Cannot dial ${url.href}. Browsers do not tell why: nobody listens there, or the listener does not let pages of ${pageOrigin()} in, or (wss) its certificate is not trusted`,
        ),
      );
    };
    const finish = (): void => {
      signal?.removeEventListener('abort', aborted);
      socket.removeEventListener('open', opened);
      socket.removeEventListener('close', failed);
    };
    signal?.addEventListener('abort', aborted, { once: true });
    socket.addEventListener('open', opened);
    socket.addEventListener('close', failed);
  });
}

function open(url: URL): WebSocket {
  try {
    return new WebSocket(url.href);
  } catch (cause) {
    throw new TransportError(`Cannot dial ${url.href}: ${(cause as Error).message}`, { cause });
  }
}

/** The socket holds this much before the next write waits. */
const HELD_BYTES = 1024 * 1024;
/** ms between looks at what the socket holds: it does not tell when that has left. */
const LOOK_EVERY = 4;

class WebSocketLink implements Link {
  readonly capabilities: Capabilities = {
    sharedMemory: false,
    transfer: false,
    maxMessage: MAX_MESSAGE_BYTES,
    crossHost: true,
    lossless: false,
  };
  readonly remote: string;
  readonly prompt = false; // a page's event loop has no such turn
  readonly connection: FrameConnection;
  readonly #socket: WebSocket;
  readonly #assembler: FrameAssembler;
  readonly #reader: FrameReader;
  readonly #batch = new FrameBatch();
  /** Lets the next write come, once the socket holds little. */
  #next: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What came before anybody received. */
  #early: (() => void)[] | undefined = [];

  constructor(remote: string, socket: WebSocket) {
    this.remote = remote;
    this.connection = new FrameConnection(this);
    this.#assembler = new FrameAssembler(this.connection);
    this.#reader = new FrameReader(this.#assembler);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      catchUp();
      this.#report(() => this.#take(data));
      this.#look();
    };
    socket.onclose = ({ reason }) =>
      this.#report(() => this.connection.gone(reason ? `${remote} went away: ${reason}` : undefined));
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const report of early) report();
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const batch = this.#batch;
    const weight = cut(outbox, batch);
    if (!batch.finish()) return false;
    // The socket takes a copy at once.
    for (const buffer of batch.buffers) this.#socket.send(isShared(buffer.buffer) ? buffer.slice() : buffer);
    batch.reset();
    this.#next = () => sent(weight);
    this.#look();
    return true;
  }

  allowLarge(): void {
    this.#assembler.allowLarge();
  }

  end(): void {
    this.#socket.close();
  }

  /** The browser cannot cut: the socket says goodbye by itself, to nobody here. */
  destroy(): void {
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.connection.gone();
  }

  #report(event: () => void): void {
    if (this.#early) this.#early.push(event);
    else event();
  }

  #take(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('a message of text');
      this.#reader.push(new Uint8Array(data), 0, data.byteLength);
    } catch (error) {
      this.connection.violated((error as Error).message);
    }
  }

  /** Timers of a page in the background are slow, so it looks whenever something arrives, too. */
  readonly #look = (): void => {
    const next = this.#next;
    if (!next || this.#socket.readyState !== WebSocket.OPEN) return;
    clearTimeout(this.#timer);
    if (this.#socket.bufferedAmount > HELD_BYTES) this.#timer = setTimeout(this.#look, LOOK_EVERY);
    else {
      this.#next = undefined;
      next();
    }
  };
}
