/** A rank's side of a run: its links, its communicators, who is gone, and how it waits. */
import { decode, encode } from '../../core/index.ts';
import type { AgreementMessage } from './agreement.ts';
import type { CartComm } from './cart-comm.ts';
import { ANY_SOURCE } from './constants.ts';
import { Core } from './core.ts';
import { Detector, deadlock, pendingWork } from './deadlock.ts';
import { AbortedError, DeadlockError, LeakedRequestsError, MpiError } from './errors.ts';
import type { Grid } from './grid.ts';
import { Messenger } from './messenger.ts';
import { Request, settledWith } from './request.ts';
import type { SharedLinks } from './shared-links.ts';
import { GONE, type SharedMemory, type Snapshot } from './shared-memory.ts';
import type { Message } from './transfer.ts';
import type { WindowMessage } from './window-message.ts';

export type Control =
  | { type: 'finished' }
  | { type: 'gone'; reason: string; waits?: readonly string[] }
  | { type: 'abort'; code: number; rank: number }
  | { type: 'revoke'; context: number }
  | { type: 'mismatch'; context: number; number: number; signature: number }
  | { type: 'spoilt'; context: number; error: Error }
  | ({ type: 'agree'; context: number } & AgreementMessage)
  | ({ type: 'window'; context: number; window: number } & WindowMessage);

type ControlOf<K extends Control['type']> = Extract<Control, { type: K }>;

/**
 * Turns of polling before a blocked thread sleeps. Where the other side runs at the same time, what is waited for comes within a
 * few; where it waits for this processor, each turn is lost: the limit follows what has helped.
 */
const SPIN = { least: 16, most: 1024 };
/** ms that a blocked thread sleeps before it looks around. */
const NAP = 50;
/** ms between looks at whether anything goes on. */
const LOOK = 250;

export interface WorldOptions {
  /** Makes communicators that are grids: those are made of others, and others of them. */
  cart(core: Core, grid: Grid): CartComm;
  rank: number;
  size: number;
  hosts: readonly string[];
  /** To a rank that shares memory. */
  giveMemory(rank: number, name: string, memory: SharedArrayBuffer): void;
}

export class World {
  readonly rank: number;
  readonly size: number;
  readonly hosts: readonly string[];
  readonly messenger: Messenger;
  readonly cart: WorldOptions['cart'];
  readonly giveMemory: WorldOptions['giveMemory'];
  /** Ranks that are gone, and how. */
  readonly lost = new Map<number, string>();
  /** Why nothing can be done any more. */
  over: Error | undefined;
  /** Settles when the world ends before its main does. */
  readonly ended = new Request<never>();
  /** Of those who are told of each loss. */
  readonly onLoss = new Set<(rank: number) => void>();
  #nextContext = 0;
  #cores = new Map<number, Core>();
  /** For communicators that are not there yet. */
  #early = new Map<number, { from: number; control: Control }[]>();
  #shared: { links: SharedLinks; memory: SharedMemory; members: readonly number[]; me: number } | undefined;
  #finished = new Set<number>();
  #finishing: Request<void> | undefined;
  #calls = new Map<Request<any>, () => string>();
  #epoch = 0;
  #detector = new Detector();
  #looked = 0;
  #ticker: NodeJS.Timeout;
  #ownWork = pendingWork();
  #blocked = false;
  #left = false;
  #listening = true;
  #polling = false;
  #spin = SPIN.most;
  #memories = new Map<string, Request<SharedArrayBuffer>>();
  #atExit = (): void => this.#shared?.memory.lose(this.#shared.me);

  constructor({ cart, rank, size, hosts, giveMemory }: WorldOptions) {
    this.rank = rank;
    this.size = size;
    this.hosts = hosts;
    this.cart = cart;
    this.giveMemory = giveMemory;
    this.messenger = new Messenger({
      expects: (message) => this.#expects(message),
      control: (from, parts) => this.#control(from, decode({ codec: 'msgpack', parts }) as Control),
    });
    this.#ticker = setInterval(() => this.#look(), LOOK);
    this.#ticker.unref();
    process.on('exit', this.#atExit);
  }

  share(links: SharedLinks, memory: SharedMemory, members: readonly number[]): void {
    this.#shared = { links, memory, members, me: members.indexOf(this.rank) };
    links.listen(() => this.poll());
  }

  /** Whether these ranks, and this one, can wait with their threads blocked. */
  sharesMemoryWith(ranks: readonly number[]): boolean {
    return ranks.every((rank) => rank === this.rank || this.#shared?.members.includes(rank));
  }

  core(members: readonly number[], context: number): Core {
    const core = new Core(this, context, members);
    this.#cores.set(context, core);
    this.#nextContext = Math.max(this.#nextContext, context + 2);
    const early = this.#early.get(context) ?? [];
    this.#early.delete(context);
    for (const { from, control } of early) this.#control(from, control);
    return core;
  }

  /** That all members of a new communicator can agree on: the largest of theirs. */
  get nextContext(): number {
    return this.#nextContext;
  }
  /** It is taken, by somebody else perhaps. */
  skipContext(context: number): void {
    this.#nextContext = Math.max(this.#nextContext, context + 2);
  }
  forget(core: Core): void {
    this.#cores.delete(core.context);
    this.messenger.drop(core.context);
    this.messenger.drop(core.context + 1);
  }
  get communicators(): number {
    return this.#cores.size;
  }

  /** Everybody gives memory to everybody; what came, by rank of the members. */
  async exchangeMemory(name: string, members: readonly number[], own: SharedArrayBuffer): Promise<SharedArrayBuffer[]> {
    for (const member of members) if (member !== this.rank) this.giveMemory(member, name, own);
    return Promise.all(members.map((member) => (member === this.rank ? own : this.memoryOf(member, name))));
  }

  /** Another rank's memory has come. */
  gotMemory(rank: number, name: string, memory: SharedArrayBuffer): void {
    const key = `${rank} ${name}`;
    const waiting = this.#memories.get(key);
    if (waiting) waiting.resolve(memory);
    else this.#memories.set(key, settledWith(memory));
  }

  async memoryOf(rank: number, name: string): Promise<SharedArrayBuffer> {
    const key = `${rank} ${name}`;
    let waiting = this.#memories.get(key);
    if (!waiting) this.#memories.set(key, (waiting = new Request()));
    const lost = (gone: number): void => {
      if (gone === rank) waiting.reject(new MpiError(`Rank ${rank} is gone: ${this.lost.get(rank)}`));
    };
    this.onLoss.add(lost);
    try {
      return await waiting;
    } finally {
      this.#memories.delete(key);
      this.onLoss.delete(lost);
    }
  }

  tell(rank: number, control: Control): void {
    this.messenger.control(rank, encode(control).parts);
  }
  tellAll(control: Control): void {
    for (let rank = 0; rank < this.size; rank++) if (rank !== this.rank) this.tell(rank, control);
  }

  /** A collective is under way. */
  began(call: Request<any>, describe: () => string): void {
    this.#epoch++;
    this.#calls.set(call, describe);
    call.whenSettled(() => this.#calls.delete(call));
  }

  /** Handles what has come through shared memory. */
  poll(): boolean {
    if (!this.#shared || this.#polling) return false;
    this.#polling = true;
    try {
      return this.#shared.links.poll();
    } finally {
      this.#polling = false;
    }
  }

  /** Blocks this thread until it has settled. */
  wait<T>(request: Request<T>): T {
    if (request.settled) return request.take();
    const shared = this.#shared;
    if (!shared)
      throw new MpiError(
        'comm.sync blocks the thread, which takes thread ranks of one process; await the same operation instead',
      );
    shared.links.mute();
    this.#blocked = true;
    try {
      for (let idle = 0; !request.settled; ) {
        if (this.poll()) {
          if (idle > SPIN.least && idle < this.#spin) this.#spin = Math.min(this.#spin * 2, SPIN.most);
          idle = 0;
        } else if (++idle > this.#spin) {
          this.#spin = Math.max(this.#spin >> 1, SPIN.least);
          idle = 0;
          shared.links.sleep(NAP);
          this.#lookAround();
        }
      }
    } finally {
      this.#blocked = false;
      if (this.#listening) {
        this.#listening = false;
        // When this thread comes back to its event loop.
        setImmediate(() => {
          this.#listening = true;
          shared.links.listen(() => this.poll());
        });
      }
    }
    return request.take();
  }

  /** A rank has gone. */
  lose(rank: number, reason: string): void {
    if (rank === this.rank || this.lost.has(rank) || this.#finished.has(rank)) return;
    this.lost.set(rank, reason);
    const shared = this.#shared;
    if (shared?.members.includes(rank)) shared.memory.lose(shared.members.indexOf(rank));
    const concerned = (context: number): boolean => this.#cores.get(context & ~1)?.rankOf(rank) !== undefined;
    this.messenger.lose(rank, concerned, (context) => this.#cores.get(context & ~1)?.why(rank) ?? new MpiError(reason));
    for (const listener of [...this.onLoss]) listener(rank);
    this.#checkFinished();
  }

  /** Ends the world here, and tells the others. */
  abort(code: number): never {
    this.tellAll({ type: 'abort', code, rank: this.rank });
    const error = new AbortedError(`Rank ${this.rank} has aborted the run with code ${code}`, code);
    this.end(error);
    throw error;
  }

  /** All that waits fails. */
  end(error: Error): void {
    if (this.over) return;
    this.over = error;
    this.messenger.fail(
      () => true,
      () => true,
      () => error,
    );
    for (const call of [...this.#calls.keys()]) call.reject(error);
    this.#finishing?.reject(error);
    this.ended.reject(error);
  }

  /** When all ranks have ended or are gone. @throws LeakedRequestsError */
  async finish(): Promise<void> {
    const finishing = new Request<void>();
    this.#finishing = finishing;
    this.tellAll({ type: 'finished' });
    this.#checkFinished();
    await finishing;
    await this.flush();
    const open = this.messenger.waits();
    if (!open.length) return;
    const shown = open.slice(0, 10).map((wait) => `\n  ${this.#describe(wait)}`);
    throw new LeakedRequestsError(
      `Rank ${this.rank} has ended with ${open.length} open request${open.length > 1 ? 's' : ''}; wait for them, or cancel them:${shown.join('')}`,
    );
  }

  /** This rank has ended otherwise. */
  async leave(reason: string, error: unknown): Promise<void> {
    const shared = this.#shared;
    shared?.memory.publish(shared.me, GONE);
    this.#left = true;
    this.tellAll({ type: 'gone', reason, ...(error instanceof DeadlockError && { waits: error.waits }) });
    await this.flush();
  }

  /** Until what was sent has left, or is not taken by anybody. */
  async flush(): Promise<void> {
    for (let patience = 200; this.messenger.waiting && patience > 0; patience--) {
      this.poll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  close(): void {
    clearInterval(this.#ticker);
    process.off('exit', this.#atExit);
    this.over ??= new MpiError('This run has ended; its communicators end with it');
    this.messenger.close();
    this.#shared?.links.close();
  }

  snapshot(): Snapshot {
    const { sent, received } = this.messenger.traffic;
    const epoch = (this.#epoch + sent + received) | 0;
    const texts = [
      ...this.messenger
        .waits()
        .filter(({ context }) => context % 2 === 0)
        .map((wait) => this.#describe(wait)),
      ...[...this.#calls.values()].map((text) => `waits in ${text()}`),
    ];
    if (this.#finishing && !this.#finishing.settled) texts.push('has ended');
    const waits =
      texts.length > 0 && (this.#blocked || this.#finishing !== undefined || pendingWork() <= this.#ownWork);
    return {
      state: waits ? 'waiting' : 'running',
      epoch,
      sent,
      received,
      text: [...new Set(texts)].slice(0, 5).join('; '),
    };
  }

  condemn(waits: readonly string[]): void {
    this.end(deadlock(waits));
  }

  #describe({ text, context, from, tag }: { text: string; context: number; from: number; tag: number }): string {
    const core = this.#cores.get(context & ~1);
    const rank = from === ANY_SOURCE ? 'any rank' : `rank ${core?.rankOf(from) ?? from}`;
    return `waits in ${text} ${rank}, tag ${tag < 0 ? 'any' : tag}${context < 2 ? '' : `, on ${core?.name}`}`;
  }

  #lookAround(): void {
    const { memory, members } = this.#shared!;
    members.forEach((rank, member) => {
      if (!this.lost.has(rank) && memory.lost(member)) this.lose(rank, 'its thread has ended');
    });
    if (performance.now() - this.#looked > LOOK) this.#look();
    if (memory.verdict) this.#sentence();
  }

  /** Does anything go on? */
  #look(): void {
    this.#looked = performance.now();
    if (this.over || this.#left) return;
    const shared = this.#shared;
    // Where there are others, the client asks all.
    if (!shared || shared.members.length < this.size) return;
    const snapshot = this.snapshot();
    const { memory, me, members } = shared;
    memory.publish(me, snapshot);
    if (memory.verdict) this.#sentence();
    else if (
      snapshot.state === 'waiting' &&
      this.#detector.look(members.map((_, member) => (memory.lost(member) ? GONE : memory.snapshot(member))))
    ) {
      memory.condemn();
      this.#sentence();
    }
  }

  #sentence(): void {
    const { memory, members } = this.#shared!;
    this.condemn(members.map((rank, member) => `rank ${rank} ${memory.snapshot(member).text}`));
  }

  #expects(message: Message): boolean {
    const base = message.context & ~1;
    const core = this.#cores.get(base);
    if (!core) return base >= this.#nextContext;
    if (core.revoked) return false;
    if (message.context === base || core.agrees(message.tag, message.head.signature)) return true;
    core.mismatch(message.source, message.tag, message.head.signature);
    return false;
  }

  #control(from: number, control: Control): void {
    if (control.type === 'finished') {
      this.#finished.add(from);
      this.#checkFinished();
    } else if (control.type === 'gone') {
      // Whoever ends because all wait says so to the others, who wait too.
      if (control.waits) this.condemn(control.waits);
      this.lose(from, control.reason);
    } else if (control.type === 'abort')
      this.end(new AbortedError(`Rank ${control.rank} has aborted the run with code ${control.code}`, control.code));
    else this.#toCore(from, control);
  }

  #toCore(from: number, control: Exclude<Control, ControlOf<'finished' | 'gone' | 'abort'>>): void {
    const { context } = control;
    const core = this.#cores.get(context);
    if (!core) {
      if (context < this.#nextContext) return; // it was freed
      const early = this.#early.get(context) ?? [];
      early.push({ from, control });
      this.#early.set(context, early);
      return;
    }
    if (control.type === 'revoke')
      core.revoke(); // which passes it on: whoever said it may be gone
    else if (control.type === 'mismatch') core.mismatch(core.rankOf(from)!, control.number, control.signature, false);
    else if (control.type === 'spoilt') core.fail(control.error);
    else if (control.type === 'agree') core.agreements.receive(from, control);
    else core.windows.get(control.window)?.(from, control);
  }

  #checkFinished(): void {
    const finishing = this.#finishing;
    if (!finishing || finishing.settled) return;
    for (let rank = 0; rank < this.size; rank++)
      if (rank !== this.rank && !this.#finished.has(rank) && !this.lost.has(rank)) return;
    finishing.resolve();
  }
}
