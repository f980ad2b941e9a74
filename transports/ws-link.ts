import type { RawData, WebSocket } from 'ws';
import { FrameAssembler } from '../core/wire/frame-assembler.ts';
import { FrameBatch } from '../core/wire/frame-batch.ts';
import { FrameConnection, type Link } from '../core/wire/frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from '../core/wire/frame-outbox.ts';
import { FrameReader } from '../core/wire/frame-reader.ts';
import { cut } from '../core/wire/framing.ts';
import type { Capabilities } from '../core/wire/transport.ts';
import { inWords } from './system-errors.ts';

/** Of one binary message. What is sent here stays below a third of it. */
export const MAX_PAYLOAD = 1024 * 1024;

/** Frames over a WebSocket: its binary messages, put one after the other, are the stream of bytes. */
export class WsLink implements Link {
  readonly capabilities: Capabilities = {
    sharedMemory: false,
    transfer: false,
    maxMessage: MAX_MESSAGE_BYTES,
    crossHost: true,
    lossless: false,
  };
  readonly remote: string;
  readonly prompt = true;
  readonly connection: FrameConnection;
  readonly #assembler: FrameAssembler;
  readonly #reader: FrameReader;
  readonly #batch = new FrameBatch();
  readonly #ws: WebSocket;

  constructor(remote: string, ws: WebSocket) {
    this.remote = remote;
    this.connection = new FrameConnection(this);
    this.#assembler = new FrameAssembler(this.connection);
    this.#reader = new FrameReader(this.#assembler);
    this.#ws = ws;
    let error: string | undefined;
    // Nothing is read before somebody receives.
    ws.pause();
    ws.on('message', (data, isBinary) => this.#read(data as Buffer, isBinary));
    ws.on('error', (e: NodeJS.ErrnoException) => {
      if (e.code?.startsWith('WS_ERR')) this.connection.violated(e.message);
      error = `The connection with ${remote} was lost: ${inWords(e)}`;
    });
    ws.on('close', () => this.connection.gone(error));
  }

  #read(data: RawData & Buffer, isBinary: boolean): void {
    try {
      if (!isBinary) throw new Error('a text message; all messages are binary');
      this.#reader.push(data, 0, data.length);
    } catch (error) {
      this.connection.violated((error as Error).message);
    }
  }

  start(): void {
    this.#ws.resume();
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const batch = this.#batch;
    const weight = cut(outbox, batch);
    if (!batch.finish()) return false;
    const { buffers } = batch;
    for (let i = 0; i < buffers.length - 1; i++) this.#ws.send(buffers[i]!, () => {});
    this.#ws.send(buffers.at(-1)!, (error) => {
      if (error) return;
      batch.reset();
      sent(weight);
    });
    return true;
  }

  allowLarge(): void {
    this.#assembler.allowLarge();
  }

  end(): void {
    this.#ws.close(1000);
  }

  destroy(): void {
    this.#ws.terminate();
  }
}
