/** What an engine's tasks tell, on its way from the ring to the controller: neighbours are joined, and there is credit. */
import { TOLD_COST } from '../conversation.ts';
import { Kind, Stream } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Session } from '../wire/session.ts';
import { DONE, OF_CALL, OF_CLIENT, PROGRESS, type SharedMemory, TOTAL } from './memory.ts';
import { RingReader, type Told } from './ring-reader.ts';

/**
 * Bytes that the controller has not said to have passed on, with what each message costs. Beyond this the ring fills, and then
 * whoever prints waits.
 */
const CREDIT = 1 << 20;
/** Bytes taken in one go: the supervisor has other work, too. */
const TURN = 256 << 10;
/** Bytes of one message. */
const JOINED = 64 << 10;
/** ms between two reports of progress. */
const PROGRESS_PAUSE = 50;

export class Outlet {
  #memory: SharedMemory;
  #reader: RingReader;
  #session: () => Session | undefined;
  #owed = 0;
  #text: { stream: number; client: number; call: number; parts: Uint8Array[]; bytes: number; end: number } | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(memory: SharedMemory, session: () => Session | undefined) {
    this.#memory = memory;
    this.#reader = new RingReader(memory);
    this.#session = session;
  }

  /** A new controller owes nothing. */
  start(): void {
    this.#owed = 0;
  }

  /** What has been taken goes so far in all that tasks have told. */
  get end(): number {
    return this.#reader.end;
  }

  /** So many bytes have been passed on. */
  read(bytes: number): void {
    this.#owed = Math.max(0, this.#owed - bytes);
  }

  /**
   * Passes on what is there, as far as there is credit. Without a session it stays in the ring. True: there is more to be
   * passed on in another turn.
   */
  pump(): boolean {
    if (!this.#session()) return false;
    const most = Math.min(CREDIT, this.#owed + TURN);
    if (this.#owed < most)
      this.#reader.drain((told) => {
        this.#take(told);
        return this.#owed < most;
      });
    this.#flush();
    if (!this.#pause) this.#progress();
    return this.#owed >= most && this.#owed < CREDIT;
  }

  #take(told: Told): void {
    const { stream, client, call, parts, end } = told;
    const isText = stream === Stream.STDOUT || stream === Stream.STDERR;
    const text = this.#text;
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    this.#owed += bytes;
    if (isText && text?.stream === stream && text.client === client && text.call === call && text.bytes < JOINED) {
      text.parts.push(...parts);
      text.bytes += bytes;
      text.end = end;
      return;
    }
    this.#flush();
    if (isText) this.#text = { stream, client, call, parts, bytes, end };
    else this.#send(stream, client, call, { codec: stream === Stream.MESSAGE ? 'msgpack' : 'json', parts }, end);
  }

  #flush(): void {
    const text = this.#text;
    this.#text = undefined;
    if (!text) return;
    const { stream, client, call, parts, end } = text;
    const whole = parts.length === 1 ? parts : [Buffer.concat(parts)];
    this.#send(stream, client, call, { codec: 'raw', parts: whole }, end);
  }

  #send(stream: number, client: number, call: number, payload: Payload, told?: number): void {
    this.#owed += TOLD_COST;
    const header = { kind: Kind.OUTPUT, client, id: call, stream };
    this.#session()?.send(told === undefined ? header : { ...header, told }, [payload]);
  }

  /** The newest, and not too often. */
  #progress(): void {
    const { ints, numbers } = this.#memory;
    if (Atomics.exchange(ints, PROGRESS, 0) === 0) return;
    const [done, total, client, call] = [DONE, TOTAL, OF_CLIENT, OF_CALL].map((slot) => numbers[slot]!);
    const progress = Number.isNaN(total) ? [done] : [done, total];
    const parts = [Buffer.from(JSON.stringify(progress))];
    this.#owed += parts[0]!.byteLength;
    this.#send(Stream.PROGRESS, client!, call!, { codec: 'json', parts });
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#progress();
    }, PROGRESS_PAUSE);
  }
}
