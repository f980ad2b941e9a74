import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameAssembler } from '../core/wire/frame-assembler.ts';
import { FrameBatch } from '../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../core/wire/frame-outbox.ts';
import { FrameReader } from '../core/wire/frame-reader.ts';
import { cut } from '../core/wire/framing.ts';
import type { Capabilities, Connection } from '../core/wire/transport.ts';
import { answerTo, explained, turnAway } from './stranger.ts';
import { inWords } from './system-errors.ts';

/**
 * A connection over any stream of bytes in both directions: what most transports are made of. It takes the stream over, and ends
 * it or destroys it. Whoever destroys one end of such a stream must see to it that the other end closes.
 * @param remote where the peer is, for messages to people
 */
export function streamConnection(stream: Duplex, remote: string): Connection {
  const link = new StreamLink(remote);
  link.attachStream(stream, true);
  return link.connection;
}

/** Frames over one stream of bytes. */
export class StreamLink implements Link {
  readonly capabilities: Capabilities;
  readonly remote: string;
  readonly prompt = true;
  readonly connection: FrameConnection;
  /** For sockets that can be told where to read to. */
  readonly onread: net.OnReadOpts;
  readonly #assembler: FrameAssembler;
  readonly #reader: FrameReader;
  readonly #batch = new FrameBatch();
  readonly #listener: string | undefined;
  #stream!: Duplex;
  #keepsChunks = false;
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

  /** One that has been told to read to `onread`. */
  attach(socket: Duplex): void {
    this.#stream = socket;
    let error: string | undefined;
    socket.on('error', (e) => {
      error = `The connection with ${this.remote} was lost: ${inWords(e)}`;
    });
    socket.on('close', () => this.connection.gone(error));
  }

  /**
   * One that hands out memory of its own, from which the reader copies.
   * @param keepsChunks it may hold on to what was written after it has said that it is done, as a pair of streams does.
   */
  attachStream(stream: Duplex, keepsChunks = false): void {
    this.#keepsChunks = keepsChunks;
    // Nothing is read before somebody receives.
    stream.pause();
    stream.on('data', (bytes: Buffer) => this.#read(bytes, bytes.length));
    stream.on('end', () => stream.end());
    this.attach(stream);
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
    this.#stream.resume();
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const batch = this.#batch;
    const stream = this.#stream;
    if (this.#answer) {
      // In place of a goodbye that a stranger could not read.
      turnAway(stream, this.#answer);
      this.#answer = undefined;
      return true;
    }
    const weight = cut(outbox, batch);
    if (!batch.finish()) return false;
    const buffers = this.#keepsChunks ? [Buffer.concat(batch.buffers)] : batch.buffers;
    const done = () => {
      batch.reset();
      sent(weight);
    };
    const last = buffers.length - 1;
    if (last > 0) stream.cork(); // which has its price for a single buffer, too
    for (let i = 0; i < last; i++) stream.write(buffers[i]!);
    stream.write(buffers[last]!, (error) => error || done());
    if (last > 0) stream.uncork();
    return true;
  }

  allowLarge(): void {
    this.#assembler.allowLarge();
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}
