import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FrameAssembler } from '../core/wire/frame-assembler.ts';
import { FrameBatch } from '../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../core/wire/frame-outbox.ts';
import { FrameReader } from '../core/wire/frame-reader.ts';
import { cut } from '../core/wire/framing.ts';
import type { Capabilities } from '../core/wire/transport.ts';
import { answerTo, explained, turnAway } from './stranger.ts';
import { inWords } from './system-errors.ts';

/** Frames over one stream of bytes, a socket with or without TLS. */
export class StreamLink implements Link {
  readonly capabilities: Capabilities;
  readonly remote: string;
  readonly connection: FrameConnection;
  /** For sockets that can be told where to read to. */
  readonly onread: net.OnReadOpts;
  readonly #assembler: FrameAssembler;
  readonly #reader: FrameReader;
  readonly #batch = new FrameBatch();
  readonly #listener: string | undefined;
  #socket!: net.Socket;
  #begun = false;
  #answer: Buffer | undefined;

  /** @param listener the scheme of the listener that accepted the peer: it answers strangers in their own language. */
  constructor(remote: string, listener?: string) {
    this.remote = remote;
    this.#listener = listener;
    this.capabilities = {
      sharedMemory: false,
      transfer: false,
      maxMessage: MAX_MESSAGE_BYTES,
      crossHost: !remote.startsWith('unix:'),
      lossless: false,
    };
    this.connection = new FrameConnection(this);
    this.#assembler = new FrameAssembler(this.connection);
    this.#reader = new FrameReader(this.#assembler);
    this.onread = {
      // Node accepts a function here that its type does not know: the place for each read in turn.
      buffer: (() => this.#reader.memory()) as unknown as Uint8Array,
      callback: (length, bytes) => {
        this.#read(bytes as Uint8Array, length);
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

  /** A TLS socket hands out memory of its own, from which the reader copies. */
  attachSecure(socket: TLSSocket): void {
    // Nothing is read before somebody receives.
    socket.pause();
    socket.on('data', (bytes: Buffer) => this.#read(bytes, bytes.length));
    this.attach(socket);
  }

  #read(bytes: Uint8Array, length: number): void {
    const first = !this.#begun;
    this.#begun = true;
    try {
      this.#reader.push(bytes, 0, length);
    } catch (error) {
      const start = bytes.subarray(0, length);
      if (first && this.#listener) this.#answer = answerTo(start, this.#listener);
      this.connection.violated((first && explained(start)) || (error as Error).message);
    }
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
    if (this.#answer) turnAway(this.#socket, this.#answer);
    else this.#socket.destroy();
    this.#answer = undefined;
  }
}
