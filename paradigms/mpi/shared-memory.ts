/** The memory that thread ranks of one process share: a board with a row for each of them, and a ring for each ordered pair. */
import { ringBytes } from './ring.ts';

const ROW_BYTES = 1024;
const TEXT_AT = 128;
const ROW_INTS = ROW_BYTES / 4;

/** Columns of a row, each on a cache line of its own where two threads write often. */
const BELL = 0;
const ASLEEP = 1;
const LOST = 2;
const STATE = 16;
const EPOCH = 17;
const SENT = 18;
const RECEIVED = 19;
const TEXT_BYTES = 20;

/** Columns of the row after those of the members. */
const VERDICT = 0;
const ATTACHED = 16;

export interface Snapshot {
  /** running: it computes, or has something to do. gone: nobody waits for it any more, nor it for anybody. */
  state: 'running' | 'waiting' | 'gone';
  /** Changes whenever the rank has got on. */
  epoch: number;
  /** Frames, of all links, modulo 2³². */
  sent: number;
  received: number;
  /** What it waits for, in words. */
  text: string;
}

const STATES = ['running', 'waiting', 'gone'] as const;
export const GONE: Snapshot = { state: 'gone', epoch: 0, sent: 0, received: 0, text: 'is gone' };

/** Large enough that neither side waits often, small enough to stay in the processor's cache. */
const capacityFor = (members: number): number => (members <= 4 ? 1 << 20 : 1 << 18);

export class SharedMemory {
  readonly memory: SharedArrayBuffer;
  readonly members: number;
  readonly capacity: number;
  readonly #board: Int32Array;

  constructor(memory: SharedArrayBuffer, members: number) {
    this.memory = memory;
    this.members = members;
    this.capacity = capacityFor(members);
    this.#board = new Int32Array(memory, 0, (members + 1) * ROW_INTS);
  }

  static create(members: number): SharedMemory {
    const rings = members * members * ringBytes(capacityFor(members));
    return new SharedMemory(new SharedArrayBuffer((members + 1) * ROW_BYTES + rings), members);
  }

  /** Of the ring from one member to another. */
  ringAt(from: number, to: number): number {
    return (this.members + 1) * ROW_BYTES + (from * this.members + to) * ringBytes(this.capacity);
  }

  /** Wakes a member that sleeps. */
  ring(member: number): void {
    const row = member * ROW_INTS;
    if (Atomics.load(this.#board, row + ASLEEP) === 0) return;
    Atomics.store(this.#board, row + ASLEEP, 0);
    this.wake(member);
  }

  wake(member: number): void {
    const bell = member * ROW_INTS + BELL;
    Atomics.add(this.#board, bell, 1);
    Atomics.notify(this.#board, bell);
  }

  /** What the bell stood at before: after that it must be seen whether something has come, and then one may wait. */
  layDown(member: number): number {
    const row = member * ROW_INTS;
    const bell = Atomics.load(this.#board, row + BELL);
    Atomics.store(this.#board, row + ASLEEP, 1);
    return bell;
  }

  getUp(member: number): void {
    Atomics.store(this.#board, member * ROW_INTS + ASLEEP, 0);
  }

  sleep(member: number, bell: number, ms: number): void {
    Atomics.wait(this.#board, member * ROW_INTS + BELL, bell, ms);
  }

  /** Calls back when the bell has been rung; false: it has been already. */
  whenRung(member: number, bell: number, then: () => void): boolean {
    const waiting = (Atomics as unknown as AsyncAtomics).waitAsync(this.#board, member * ROW_INTS + BELL, bell);
    if (!waiting.async) return false;
    void waiting.value.then(then);
    return true;
  }

  /** A member that has gone, for those that sleep and hear nothing else. */
  lose(member: number): void {
    if (Atomics.exchange(this.#board, member * ROW_INTS + LOST, 1)) return;
    for (let other = 0; other < this.members; other++) this.wake(other);
  }

  lost(member: number): boolean {
    return Atomics.load(this.#board, member * ROW_INTS + LOST) === 1;
  }

  publish(member: number, snapshot: Snapshot): void {
    const row = member * ROW_INTS;
    const text = Buffer.from(this.memory, row * 4 + TEXT_AT, ROW_BYTES - TEXT_AT);
    const board = this.#board;
    Atomics.store(board, row + TEXT_BYTES, text.write(snapshot.text));
    Atomics.store(board, row + SENT, snapshot.sent | 0);
    Atomics.store(board, row + RECEIVED, snapshot.received | 0);
    Atomics.store(board, row + EPOCH, snapshot.epoch | 0);
    Atomics.store(board, row + STATE, STATES.indexOf(snapshot.state));
  }

  snapshot(member: number): Snapshot {
    const row = member * ROW_INTS;
    const board = this.#board;
    const length = Atomics.load(board, row + TEXT_BYTES);
    return {
      state: STATES[Atomics.load(board, row + STATE)]!,
      epoch: Atomics.load(board, row + EPOCH),
      sent: Atomics.load(board, row + SENT),
      received: Atomics.load(board, row + RECEIVED),
      text: Buffer.from(Buffer.from(this.memory, row * 4 + TEXT_AT, length)).toString(),
    };
  }

  /** A member has it, or will never have it. */
  attach(): void {
    const attached = this.members * ROW_INTS + ATTACHED;
    Atomics.add(this.#board, attached, 1);
    Atomics.notify(this.#board, attached);
  }

  /** All have it: from then on threads may block. */
  async attached(): Promise<void> {
    const cell = this.members * ROW_INTS + ATTACHED;
    for (;;) {
      const count = Atomics.load(this.#board, cell);
      if (count >= this.members) return;
      const waiting = (Atomics as unknown as AsyncAtomics).waitAsync(this.#board, cell, count);
      if (waiting.async) await waiting.value;
    }
  }

  /** For what is found by one and concerns all. */
  get verdict(): boolean {
    return Atomics.load(this.#board, this.members * ROW_INTS + VERDICT) === 1;
  }

  condemn(): void {
    Atomics.store(this.#board, this.members * ROW_INTS + VERDICT, 1);
    for (let member = 0; member < this.members; member++) this.wake(member);
  }
}

/** TypeScript's library for this version of JavaScript does not have it; Node 20 does. */
interface AsyncAtomics {
  waitAsync(
    memory: Int32Array,
    index: number,
    value: number,
  ): { async: false; value: string } | { async: true; value: Promise<string> };
}
