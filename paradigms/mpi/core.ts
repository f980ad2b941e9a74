/** A communicator as its world knows it: members, contexts, the collectives that were called, and why it cannot be used any more. */
import { Agreements } from './agreement.ts';
import { BlockedRound } from './blocked-round.ts';
import { ANY_SOURCE } from './constants.ts';
import { CollectiveMismatchError, MpiError, RankLostError, RevokedError } from './errors.ts';
import type { Messenger } from './messenger.ts';
import type { Op } from './op-names.ts';
import { Request } from './request.ts';
import { drive, Round } from './round.ts';
import { type CollectiveName, describeCall, sameCall, signatureOf } from './signature.ts';
import { Straight } from './straight.ts';
import type { KeptMessage } from './util/kept.ts';
import type { WindowMessage } from './window-message.ts';
import type { World } from './world.ts';

/** Calls whose messages may still be on their way to somebody who asks what was called. */
const LOGGED = 256;

export class Core {
  readonly world: World;
  /** Even; the next one is that of its collectives. */
  readonly context: number;
  /** Ranks in the world, by rank here. */
  readonly members: readonly number[];
  readonly rank: number;
  freed = false;
  revoked = false;
  /** Why no collective can be called any more. */
  failure: Error | undefined;
  /** Losses that this rank has been told of, and has acknowledged. */
  acknowledged = new Set<number>();
  /** Of windows made on it: what others want of this rank's memory. */
  readonly windows = new Map<number, (from: number, message: WindowMessage) => void>();
  lastWindow = 0;
  /** Of what one member keeps for all: see `util/kept.ts`. */
  kept: ((from: number, message: KeptMessage) => void) | undefined;
  /** Collectives of it that are under way. */
  readonly #under = new Set<Request<any>>();
  #agreements: Agreements | undefined;
  #calls = 0;
  readonly #log = new Int32Array(LOGGED);
  #failedAt = Number.POSITIVE_INFINITY;
  #straight: Straight | undefined;
  #ranks: Map<number, number>;

  /** @param rank of one that is no member itself: of a group that talks to these */
  constructor(world: World, context: number, members: readonly number[], rank?: number) {
    this.world = world;
    this.context = context;
    this.members = members;
    this.#ranks = new Map(members.map((member, rank) => [member, rank]));
    this.rank = rank ?? this.#ranks.get(world.rank)!;
  }

  get messenger(): Messenger {
    return this.world.messenger;
  }
  get size(): number {
    return this.members.length;
  }

  get straight(): Straight {
    return (this.#straight ??= new Straight(this));
  }

  get agreements(): Agreements {
    return (this.#agreements ??= new Agreements(this));
  }

  /** Of a rank of the world; undefined: it is no member. */
  rankOf(worldRank: number): number | undefined {
    return this.#ranks.get(worldRank);
  }

  get open(): boolean {
    return !this.freed && !this.revoked && this.world.over === undefined;
  }

  /** Nothing has gone wrong that operations have to be told of. */
  get sound(): boolean {
    return this.open && this.failure === undefined && (this.world.lost.size === 0 || this.failed().length === 0);
  }

  /** @throws when nothing can be done with it any more. */
  check(what: string): void {
    if (this.world.over) throw this.world.over;
    if (this.freed) throw new MpiError(`${what} on a communicator that was freed; use another one, or free it later`);
    if (this.revoked) throw this.#revocation();
  }

  /** A receive from anybody may wait for somebody who is gone: that must have been seen first. @throws RankLostError */
  checkAnySource(): void {
    if (!this.world.lost.size) return;
    const unseen = this.failed().find((rank) => !this.acknowledged.has(rank));
    if (unseen !== undefined) throw this.why(this.members[unseen]!);
  }

  /** All other members have ended, so nothing will come from anybody any more. */
  get deserted(): boolean {
    const { retired, lost, rank } = this.world;
    if (!retired.size) return false;
    const others = this.members.filter((member) => member !== rank);
    return others.length > 0 && others.every((member) => lost.has(member));
  }

  /** Members that have not ended as they should, by rank here. */
  failed(): number[] {
    return this.lost().filter((rank) => !this.world.retired.has(this.members[rank]!));
  }

  /** Members that are gone, by rank here. */
  lost(): number[] {
    return [...this.world.lost.keys()].flatMap((member) => this.#ranks.get(member) ?? []).sort((a, b) => a - b);
  }

  /** What an operation that concerns the context fails with. */
  why(worldRank: number): Error {
    if (this.revoked) return this.#revocation();
    const rank = this.#ranks.get(worldRank) ?? -1;
    this.world.noticed.add(worldRank);
    return new RankLostError(
      `Rank ${rank} is gone: ${this.world.lost.get(worldRank)}. Go on without it: await comm.shrink()`,
      rank,
    );
  }

  /** Starts a collective; `body` settles what is returned. Calls are matched by their order. */
  collective<T>(
    name: CollectiveName,
    { root = -1, op }: { root?: number; op?: Op | undefined },
    body: (round: Round) => Generator<Request, T>,
  ): Request<T> {
    this.check(name);
    const call = new Request<T>();
    try {
      this.checkCall(this.#calls + 1);
    } catch (error) {
      call.reject(error);
      return call;
    }
    const signature = signatureOf(name, root, op);
    const number = this.#called(signature);
    this.#under.add(call);
    call.whenSettled(() => this.#ended(call));
    this.world.lookout.began(call, () => this.describe(number, signature));
    const unlike = this.#unlike(number, signature);
    if (unlike) call.reject(unlike);
    else drive(call, body(new Round(this, number, signature)), (error) => this.#spoilt(error, number));
    return call;
  }

  /** The same with the thread blocked until `body` returns. @throws what the collective fails with */
  blocking<T>(name: CollectiveName, op: Op | undefined, body: (round: BlockedRound) => T): T {
    this.check(name);
    this.checkCall(this.#calls + 1);
    const signature = signatureOf(name, -1, op);
    const number = this.#called(signature);
    const unlike = this.#unlike(number, signature);
    if (unlike) throw unlike;
    try {
      return body(new BlockedRound(this, number, signature));
    } catch (error) {
      this.#spoilt(error, number);
      throw error;
    }
  }

  /** @throws what the collective of that number fails with, if it is known already. */
  checkCall(number: number): void {
    if (this.failure && number >= this.#failedAt) throw this.failure;
    if (this.world.over) throw this.world.over;
    // Those who have ended may have done their part of it before.
    const lost = this.world.lost.size ? this.failed()[0] : undefined;
    if (lost !== undefined) throw this.why(this.members[lost]!);
    if (this.revoked) throw this.#revocation();
  }

  describe(number: number, signature: number): string {
    return `${describeCall(signature)}, its collective number ${number} on ${this.name}`;
  }

  get name(): string {
    return this.context === 0 ? this.world.name : `communicator ${this.context >> 1}`;
  }

  /** A message of a collective has come that was called here already: false if it was another one. */
  agrees(number: number, signature: number): boolean {
    const mine = this.#logged(number);
    return mine === undefined || sameCall(mine, signature);
  }

  /** Another member called something else. */
  mismatch(rank: number, number: number, theirs: number, tell = true): void {
    const mine = this.#logged(number);
    if (this.failure || mine === undefined) return;
    const error = new CollectiveMismatchError(
      `Collective number ${number} on ${this.name}: rank ${this.rank} called ${describeCall(mine)} and rank ${rank} called ${describeCall(theirs)}; all members must call the same ones in the same order`,
    );
    this.fail(error, number);
    if (!tell) return;
    this.members.forEach((member, other) => {
      if (other === rank) this.world.tell(member, { type: 'mismatch', context: this.context, number, signature: mine });
      else if (other !== this.rank) this.world.tell(member, { type: 'spoilt', context: this.context, number, error });
    });
  }

  /** Ends the collective of that number, and all after it; those before may still end well. */
  fail(error: Error, number: number): void {
    this.failure ??= error;
    this.#failedAt = Math.min(this.#failedAt, number);
    const concerned = ({ context, tag }: { context: number; tag: number }): boolean =>
      context === this.context + 1 && tag >= number;
    this.messenger.fail(concerned, concerned, () => error);
  }

  revoke(): void {
    if (this.revoked) return;
    this.revoked = true;
    const concerned = ({ context }: { context: number }): boolean => context >> 1 === this.context >> 1;
    this.messenger.fail(concerned, concerned, () => this.#revocation());
    for (const member of this.members)
      if (member !== this.world.rank) this.world.tell(member, { type: 'revoke', context: this.context });
  }

  /** Freed: receives that wait for messages will not get any; collectives under way go on. */
  close(): void {
    this.freed = true;
    const waiting = ({ context }: { context: number }): boolean => context === this.context;
    this.messenger.fail(
      () => false,
      waiting,
      () => new MpiError(`${this.name} was freed while a receive waited on it`),
    );
    this.#forget();
  }

  #called(signature: number): number {
    const number = ++this.#calls;
    this.#log[number % LOGGED] = signature;
    return number;
  }

  /** What was called here under that number; undefined: nothing yet, or too long ago. */
  #logged(number: number): number | undefined {
    return number > this.#calls || number <= this.#calls - LOGGED ? undefined : this.#log[number % LOGGED];
  }

  /** Somebody who was here earlier has called something else: what this one fails with. */
  #unlike(number: number, signature: number): Error | undefined {
    const { matching } = this.messenger;
    if (matching.quiet(this.context + 1)) return undefined;
    const early = matching.probe({ context: this.context + 1, source: ANY_SOURCE, tag: number });
    if (!early || sameCall(early.head.signature, signature)) return undefined;
    this.mismatch(early.source, number, early.head.signature);
    return this.failure;
  }

  #ended(call: Request<any>): void {
    this.#under.delete(call);
    if (this.freed) this.#forget();
  }

  #forget(): void {
    if (this.#under.size) return;
    this.#agreements?.close();
    this.world.communicators.forget(this);
  }

  /** Something here, such as an operation that threw, has ended a collective that others still wait in. */
  #spoilt(error: unknown, number: number): void {
    if (this.failure || this.revoked || this.freed || this.world.over) return;
    // Of a loss everybody hears; that one has ended is found out by whoever needs it.
    if (error instanceof RankLostError && !this.world.retired.size) return;
    const failure = error instanceof Error ? error : new MpiError(`A collective failed: ${String(error)}`);
    this.fail(failure, number);
    for (const member of this.members)
      if (member !== this.world.rank)
        this.world.tell(member, { type: 'spoilt', context: this.context, number, error: failure });
  }

  #revocation(): RevokedError {
    return new RevokedError(`${this.name} was revoked; go on with what shrink() gives`);
  }
}
