/** Whether anything goes on: what this rank waits for, and whether all wait. */
import { ANY_SOURCE } from './constants.ts';
import { Detector, deadlock, pendingWork } from './deadlock.ts';
import type { Waits } from './messenger.ts';
import type { Request } from './request.ts';
import { GONE, type SharedMemory, type Snapshot } from './shared-memory.ts';
import type { World } from './world.ts';

/** ms between looks. */
const LOOK = 250;

export interface Shared {
  readonly memory: SharedMemory;
  /** Ranks of the world whose threads share it, and the place of this one among them. */
  readonly members: readonly number[];
  readonly me: number;
}

export class Lookout {
  readonly #world: World;
  readonly #calls = new Map<Request<any>, () => string>();
  readonly #detector = new Detector();
  readonly #ticker: NodeJS.Timeout;
  readonly #ownWork = pendingWork();
  /** What this thread is blocked in without a request. */
  blocked: { describe(): string } | undefined;
  /** What it waits for beside its messages, such as engines: as long as there is any, it gets on. */
  outside = 0;
  /** How often somebody has looked at this rank. */
  looks = 0;
  #shared: Shared | undefined;
  #epoch = 0;
  #looked = 0;

  constructor(world: World) {
    this.#world = world;
    this.#ticker = setInterval(() => this.#look(), LOOK);
    this.#ticker.unref();
    process.on('exit', this.#atExit);
  }

  share(shared: Shared): void {
    this.#shared = shared;
  }

  /** A collective is under way, or something else that is made of many messages. */
  began(call: Request<any>, describe: () => string): void {
    this.#epoch++;
    this.#calls.set(call, describe);
    call.whenSettled(() => this.#calls.delete(call));
  }

  /** All that `began` has been told of, and that has not settled. */
  get calls(): Request<any>[] {
    return [...this.#calls.keys()];
  }

  snapshot(): Snapshot {
    this.looks++;
    const { messenger, finishing, waiting } = this.#world;
    const { sent, received } = messenger.traffic;
    const texts = [
      ...messenger
        .waits()
        .filter(({ context }) => context % 2 === 0)
        .map((wait) => this.describe(wait)),
      ...[...this.#calls.values()].map((text) => `waits in ${text()}`),
      ...(this.blocked ? [this.blocked.describe()] : []),
    ];
    if (finishing && !finishing.settled) texts.push('has ended');
    const idle = this.outside === 0 && (waiting.blocked || finishing !== undefined || pendingWork() <= this.#ownWork);
    return {
      state: texts.length > 0 && idle ? 'waiting' : 'running',
      epoch: (this.#epoch + sent + received) | 0,
      sent,
      received,
      text: [...new Set(texts)].slice(0, 5).join('; '),
    };
  }

  describe({ text, context, from, tag }: Waits): string {
    const core = this.#world.communicators.of(context);
    const rank = from === ANY_SOURCE ? 'any rank' : `rank ${core?.rankOf(from) ?? from}`;
    return `waits in ${text} ${rank}, tag ${tag < 0 ? 'any' : tag}${context < 2 ? '' : `, on ${core?.name}`}`;
  }

  /** For a thread that is blocked: its timers do not run. */
  lookAround(): void {
    const { memory, members } = this.#shared!;
    const world = this.#world;
    members.forEach((rank, member) => {
      if (!world.lost.has(rank) && memory.lost(member)) world.lose(rank, 'its thread has ended');
    });
    if (performance.now() - this.#looked > LOOK) this.#look();
    if (memory.verdict) this.#sentence();
  }

  close(): void {
    clearInterval(this.#ticker);
    process.off('exit', this.#atExit);
  }

  #look(): void {
    this.#looked = performance.now();
    const { over, left, size } = this.#world;
    if (over || left) return;
    const shared = this.#shared;
    // Where there are others, the client asks all.
    if (!shared || shared.members.length < size) return;
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
    this.#world.end(deadlock(members.map((rank, member) => `rank ${rank} ${memory.snapshot(member).text}`)));
  }

  /** Others wait for this thread, and hear nothing else of its end. */
  #atExit = (): void => this.#shared?.memory.lose(this.#shared.me);
}
