/** A communicator as its world knows it: members, contexts, the collectives that were called, and why it cannot be used any more. */
import { Agreements } from './agreement.ts';
import type { TypedArray } from './arrays.ts';
import { ANY_SOURCE } from './constants.ts';
import { CollectiveMismatchError, MpiError, RankLostError, RevokedError } from './errors.ts';
import type { Messenger } from './messenger.ts';
import type { Op } from './op-names.ts';
import type { Packet } from './packet.ts';
import { Request } from './request.ts';
import { type CollectiveName, describeCall, sameCall, signatureOf, withAlgorithm } from './signature.ts';
import type { Receive } from './transfer.ts';
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
  /** Collectives of it that are under way. */
  readonly #under = new Set<Request<any>>();
  #agreements: Agreements | undefined;
  #calls = 0;
  #log = new Map<number, number>();
  #ranks: Map<number, number>;

  constructor(world: World, context: number, members: readonly number[]) {
    this.world = world;
    this.context = context;
    this.members = members;
    this.#ranks = new Map(members.map((member, rank) => [member, rank]));
    this.rank = this.#ranks.get(world.rank)!;
  }

  get messenger(): Messenger {
    return this.world.messenger;
  }
  get size(): number {
    return this.members.length;
  }

  get agreements(): Agreements {
    return (this.#agreements ??= new Agreements(this));
  }

  /** Of a rank of the world; undefined: it is no member. */
  rankOf(worldRank: number): number | undefined {
    return this.#ranks.get(worldRank);
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
    const unseen = this.lost().find((rank) => !this.acknowledged.has(rank));
    if (unseen !== undefined) throw this.why(this.members[unseen]!);
  }

  /** Members that are gone, by rank here. */
  lost(): number[] {
    return [...this.world.lost.keys()].flatMap((member) => this.#ranks.get(member) ?? []).sort((a, b) => a - b);
  }

  /** What an operation that concerns the context fails with. */
  why(worldRank: number): Error {
    if (this.revoked) return this.#revocation();
    const rank = this.#ranks.get(worldRank) ?? -1;
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
    const lost = this.lost()[0];
    if (this.failure || lost !== undefined) {
      call.reject(this.failure ?? this.why(this.members[lost!]!));
      return call;
    }
    const number = ++this.#calls;
    const signature = signatureOf(name, root, op);
    this.#log.set(number, signature);
    this.#log.delete(number - LOGGED);
    this.#under.add(call);
    call.whenSettled(() => this.#ended(call));
    this.world.began(call, () => `${describeCall(signature)}, its collective number ${number} on ${this.name}`);
    const early = this.messenger.matching.probe({ context: this.context + 1, source: ANY_SOURCE, tag: number });
    if (early && !sameCall(early.head.signature, signature)) {
      this.mismatch(early.source, number, early.head.signature);
      call.reject(this.failure);
    } else drive(call, body(new Round(this, number, signature)), (error) => this.#spoilt(error));
    return call;
  }

  get name(): string {
    return this.context === 0 ? 'the world' : `communicator ${this.context >> 1}`;
  }

  /** A message of a collective has come that was called here already: false if it was another one. */
  agrees(number: number, signature: number): boolean {
    const mine = this.#log.get(number);
    return mine === undefined || sameCall(mine, signature);
  }

  /** Another member called something else. */
  mismatch(rank: number, number: number, theirs: number, tell = true): void {
    const mine = this.#log.get(number);
    if (this.failure || mine === undefined) return;
    const error = new CollectiveMismatchError(
      `Collective number ${number} on ${this.name}: rank ${this.rank} called ${describeCall(mine)} and rank ${rank} called ${describeCall(theirs)}; all members must call the same ones in the same order`,
    );
    this.fail(error);
    if (!tell) return;
    this.members.forEach((member, other) => {
      if (other === rank) this.world.tell(member, { type: 'mismatch', context: this.context, number, signature: mine });
      else if (other !== this.rank) this.world.tell(member, { type: 'spoilt', context: this.context, error });
    });
  }

  /** Ends all collectives under way, and those to come. */
  fail(error: Error): void {
    this.failure ??= error;
    const concerned = ({ context }: { context: number }): boolean => context === this.context + 1;
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

  #ended(call: Request<any>): void {
    this.#under.delete(call);
    if (this.freed) this.#forget();
  }

  #forget(): void {
    if (this.#under.size) return;
    this.#agreements?.close();
    this.world.forget(this);
  }

  /** Something here, such as an operation that threw, has ended a collective that others still wait in. */
  #spoilt(error: unknown): void {
    if (this.failure || this.revoked || this.freed || this.world.over || error instanceof RankLostError) return;
    const failure = error instanceof Error ? error : new MpiError(`A collective failed: ${String(error)}`);
    this.fail(failure);
    for (const member of this.members)
      if (member !== this.world.rank)
        this.world.tell(member, { type: 'spoilt', context: this.context, error: failure });
  }

  #revocation(): RevokedError {
    return new RevokedError(`${this.name} was revoked; go on with what shrink() gives`);
  }
}

/** One collective as its algorithm sees it. */
export class Round {
  readonly rank: number;
  readonly size: number;
  readonly #core: Core;
  readonly #tag: number;
  readonly #signature: number;

  constructor(core: Core, number: number, signature: number) {
    this.#core = core;
    this.rank = core.rank;
    this.size = core.size;
    this.#tag = number;
    this.#signature = signature;
  }

  send(to: number, packet: Packet, algorithm = 0): Request {
    const { messenger, members, context } = this.#core;
    const envelope = {
      context: context + 1,
      source: this.rank,
      tag: this.#tag,
      signature: withAlgorithm(this.#signature, algorithm),
    };
    return messenger.send(members[to]!, packet, envelope, false, '');
  }

  receive(source: number, into?: TypedArray): Receive<Packet> {
    const { messenger, members, context } = this.#core;
    const from = source === ANY_SOURCE ? ANY_SOURCE : members[source]!;
    return messenger.receive({ context: context + 1, source, tag: this.#tag, from, into, as: asItIs, what: '' });
  }
}

/** The value of a request, when it is there. */
export function* on<T>(request: Request<T>): Generator<Request, T> {
  if (!request.settled) yield request;
  return request.take();
}

export function* onAll(requests: readonly Request[]): Generator<Request, void> {
  for (const request of requests) yield* on(request);
}

/** Lets an algorithm run until it waits, and goes on from there when it need not any more. */
export function drive<T>(
  call: Request<T>,
  steps: Generator<Request, T>,
  failed: (error: unknown) => void = () => {},
): void {
  const step = (): void => {
    try {
      for (;;) {
        const next = steps.next();
        if (next.done) {
          call.resolve(next.value);
          return;
        }
        if (next.value.settled) continue;
        next.value.whenSettled(step);
        return;
      }
    } catch (error) {
      call.reject(error);
      failed(error);
    }
  };
  step();
}

const asItIs = (packet: Packet): Packet => packet;
