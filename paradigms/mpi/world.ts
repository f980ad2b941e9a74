/** A rank's side of a run: its links, its communicators, who is gone, and how it ends. */
import { decode, encode } from '../../core/index.ts';
import type { CartComm } from './cart-comm.ts';
import { Communicators } from './communicators.ts';
import type { Control } from './control.ts';
import type { Core } from './core.ts';
import { deadlock } from './deadlock.ts';
import { AbortedError, DeadlockError, LeakedRequestsError, MpiError } from './errors.ts';
import type { Grid } from './grid.ts';
import type { Intercomm } from './intercomm.ts';
import { Lookout, type Shared } from './lookout.ts';
import { Memories } from './memories.ts';
import { Messenger } from './messenger.ts';
import { Request } from './request.ts';
import type { SharedLinks } from './shared-links.ts';
import { GONE, type SharedMemory } from './shared-memory.ts';
import type { Spawn } from './spawn.ts';
import { Waiting } from './waiting.ts';

export interface WorldOptions {
  /** Makes communicators that are grids: those are made of others, and others of them. */
  cart(core: Core, grid: Grid): CartComm;
  rank: number;
  size: number;
  hosts: readonly string[];
  /** To a rank that shares memory. */
  giveMemory(rank: number, name: string, memory: SharedArrayBuffer): void;
  /** How functions travel from rank to rank. */
  functions: Functions;
  spawn: Spawn;
  /** Ranks end when they want: others that wait for one that has ended are told. */
  loose?: boolean;
  /** In messages to people. */
  name?: string;
}

export interface Functions {
  pack(fn: unknown): Promise<unknown>;
  open(packed: unknown): Promise<unknown>;
}

export class World {
  readonly rank: number;
  readonly size: number;
  readonly hosts: readonly string[];
  readonly cart: WorldOptions['cart'];
  readonly functions: Functions;
  readonly spawn: Spawn;
  readonly name: string;
  /** The world that has spawned this one, from here. */
  parent: Intercomm | undefined;
  /** A communicator of this rank alone, once somebody has asked for it. */
  self: Core | undefined;
  readonly messenger: Messenger;
  readonly communicators: Communicators;
  readonly memories: Memories;
  readonly waiting: Waiting;
  readonly lookout: Lookout;
  /** Ranks that are gone, and how. */
  readonly lost = new Map<number, string>();
  /** Those of them whose main has returned: what they have sent can still be received. */
  readonly retired = new Set<number>();
  /** Those of which somebody here was told. */
  readonly noticed = new Set<number>();
  /** Of those who are told of each loss. */
  readonly onLoss = new Set<(rank: number) => void>();
  /** Why nothing can be done any more. */
  over: Error | undefined;
  /** Settles when the world ends before its main does. */
  readonly ended = new Request<never>();
  /** The main has ended: settles when those of all others have. */
  finishing: Request<void> | undefined;
  /** This rank has ended otherwise, and has said so. */
  left = false;
  #shared: (Shared & { links: SharedLinks }) | undefined;
  #finished = new Set<number>();
  /** Those that have all that this rank has sent. */
  readonly #seen = new Set<number>();
  readonly #loose: boolean;

  constructor({
    cart,
    rank,
    size,
    hosts,
    giveMemory,
    functions,
    spawn,
    loose = false,
    name = 'the world',
  }: WorldOptions) {
    this.rank = rank;
    this.size = size;
    this.hosts = hosts;
    this.cart = cart;
    this.functions = functions;
    this.spawn = spawn;
    this.name = name;
    this.#loose = loose;
    this.communicators = new Communicators(this);
    this.messenger = new Messenger({
      expects: (message) => this.communicators.expects(message),
      deserted: (context) => this.#deserted(context),
      control: (from, parts) => this.#control(from, decode({ codec: 'msgpack', parts }) as Control),
    });
    this.memories = new Memories(this, giveMemory);
    this.lookout = new Lookout(this);
    this.waiting = new Waiting(() => this.lookout.lookAround());
  }

  share(links: SharedLinks, memory: SharedMemory, members: readonly number[]): void {
    this.#shared = { links, memory, members, me: members.indexOf(this.rank) };
    this.lookout.share(this.#shared);
    this.waiting.share(links);
  }

  /** Whether these ranks, and this one, can wait with their threads blocked. */
  sharesMemoryWith(ranks: readonly number[]): boolean {
    return ranks.every((rank) => rank === this.rank || this.#shared?.members.includes(rank));
  }

  tell(rank: number, control: Control): void {
    this.messenger.control(rank, encode(control).parts);
  }
  tellAll(control: Control): void {
    for (let rank = 0; rank < this.size; rank++) if (rank !== this.rank) this.tell(rank, control);
  }

  /** A rank has gone. */
  lose(rank: number, reason: string): void {
    if (rank === this.rank || this.lost.has(rank) || this.#finished.has(rank)) return;
    this.lost.set(rank, reason);
    const { communicators } = this;
    const shared = this.#shared;
    if (shared?.members.includes(rank)) shared.memory.lose(shared.members.indexOf(rank));
    const why = (context: number): Error => communicators.of(context)?.why(rank) ?? new MpiError(reason);
    this.messenger.lose(rank, (context) => communicators.of(context)?.rankOf(rank) !== undefined, why);
    for (const listener of [...this.onLoss]) listener(rank);
    this.#checkFinished();
  }

  /** A rank has ended as it should. Who takes from anybody can go on as long as there is anybody. */
  #retire(rank: number): void {
    if (this.lost.has(rank)) return;
    this.lost.set(rank, 'its main has returned');
    this.retired.add(rank);
    const { communicators } = this;
    const why = (context: number): Error => communicators.of(context)?.why(rank) ?? new MpiError('It has ended');
    const concerned = (context: number): boolean => communicators.of(context)?.rankOf(rank) !== undefined;
    this.messenger.lose(rank, concerned, why, (context) => communicators.of(context)?.deserted ?? false);
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
    const everything = (): boolean => true;
    this.messenger.fail(everything, everything, () => error);
    for (const call of this.lookout.calls) call.reject(error);
    this.finishing?.reject(error);
    this.ended.reject(error);
  }

  /** When all ranks have ended or are gone. @throws LeakedRequestsError */
  async finish(): Promise<void> {
    const finishing = new Request<void>();
    this.finishing = finishing;
    this.tellAll({ type: 'finished' });
    this.#checkFinished();
    await finishing;
    await this.#flush();
    this.#checkLeaks();
  }

  #checkLeaks(): void {
    const open = this.messenger.waits();
    if (!open.length) return;
    const shown = open.slice(0, 10).map((wait) => `\n  ${this.lookout.describe(wait)}`);
    throw new LeakedRequestsError(
      `Rank ${this.rank} has ended with ${open.length} open request${open.length > 1 ? 's' : ''}; wait for them, or cancel them:${shown.join('')}`,
    );
  }

  /**
   * This rank has ended, and does not wait until the others have: only until what it has sent has come to them, since its engine may
   * end now. @throws LeakedRequestsError
   */
  async part(): Promise<void> {
    this.tellAll({ type: 'finished' });
    const others = Array.from({ length: this.size }, (_, rank) => rank).filter((rank) => rank !== this.rank);
    const owing = (): boolean =>
      this.messenger.sending || others.some((rank) => !this.#seen.has(rank) && !this.lost.has(rank));
    while (owing() && !this.over) await new Promise((resolve) => setTimeout(resolve, 1));
    this.#checkLeaks();
  }

  /** Somebody is known to be gone from elsewhere: others here may have no other way to know. */
  pass(rank: number, reason: string): void {
    if (rank < 0 || rank === this.rank || this.lost.has(rank)) return;
    this.tellAll({ type: 'lost', rank, reason });
    this.lose(rank, reason);
  }

  /** This rank has ended otherwise. */
  async leave(reason: string, error: unknown): Promise<void> {
    const shared = this.#shared;
    // What all waited for is read by the others yet, if that is why it leaves.
    if (shared && !shared.memory.verdict) shared.memory.publish(shared.me, GONE);
    this.left = true;
    this.tellAll({
      type: 'gone',
      reason,
      ...(error instanceof DeadlockError && { waits: error.waits }),
      ...(error instanceof AbortedError && { aborted: { message: error.message, code: error.exitCode } }),
    });
    await this.#flush();
  }

  close(): void {
    this.lookout.close();
    this.over ??= new MpiError('This run has ended; its communicators end with it');
    this.messenger.close();
    this.#shared?.links.close();
  }

  /** Until what was sent has left, or is not taken by anybody. */
  async #flush(): Promise<void> {
    for (let patience = 200; this.messenger.waiting && patience > 0; patience--) {
      this.waiting.poll();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #deserted(context: number): Error | undefined {
    const core = this.retired.size ? this.communicators.of(context) : undefined;
    return core?.deserted ? core.why(core.members.find((member) => this.retired.has(member))!) : undefined;
  }

  #control(from: number, control: Control): void {
    if (control.type === 'finished') {
      this.#finished.add(from);
      if (this.#loose) {
        this.tell(from, { type: 'seen' });
        this.#retire(from);
      } else this.#checkFinished();
    } else if (control.type === 'seen') this.#seen.add(from);
    else if (control.type === 'lost') this.lose(control.rank, control.reason);
    else if (control.type === 'gone') {
      const { waits, aborted } = control;
      if (waits) this.end(deadlock(waits));
      if (aborted) this.end(new AbortedError(aborted.message, aborted.code));
      this.lose(from, control.reason);
    } else if (control.type === 'abort')
      this.end(new AbortedError(`Rank ${control.rank} has aborted the run with code ${control.code}`, control.code));
    else this.communicators.receive(from, control);
  }

  #checkFinished(): void {
    const { finishing } = this;
    if (!finishing || finishing.settled) return;
    for (let rank = 0; rank < this.size; rank++)
      if (rank !== this.rank && !this.#finished.has(rank) && !this.lost.has(rank)) return;
    finishing.resolve();
  }
}
