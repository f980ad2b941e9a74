/**
 * Orders of the supervisor, to stop a task or to look into it. One reaches this thread by its port, when the event loop
 * turns; or while the thread stands still, in the middle of anything, and then it is only noted and answered.
 */
import { callKey } from '../call-key.ts';
import { CancelledError, InterruptedError } from '../errors.ts';
import type { FromEngine, Order, Stand } from '../supervisor/messages.ts';
import { currentJob, type Job } from './job.ts';
import type { Turns } from './turns.ts';

/** ms that a task may take to stop by itself once its signal is aborted, if it has ever looked at it. */
export const GRACE = 500;
const LOST =
  'It waited at an await when a loop past another one had to be stopped on its engine, and what it waited for may be lost';
/** Calls that were withdrawn before they came. */
const WITHDRAWN = 4_096;

export interface OrdersHome {
  readonly turns: Turns;
  /** The last call of this client that has come here; they come in order. */
  arrived(client: number): number;
  answer(message: FromEngine): void;
}

export type Outcome = Extract<FromEngine, { type: 'answer' }>['outcome'];

interface Taken {
  readonly order: Order;
  readonly job: Job | undefined;
  /** Who waits for the answer, where it is not the supervisor. */
  reply?: (outcome: Outcome) => void;
}

export class Orders {
  #home: OrdersHome;
  #taken = new Map<number, Taken>();
  #withdrawn = new Map<number, Error>();
  /** The last that has come by the port; and those that were answered before they came by it. */
  #received = 0;
  #early = new Set<number>();
  /** At their awaits when all was unwound. */
  #suspects: Job[] = [];

  constructor(home: OrdersHome) {
    this.#home = home;
  }

  /** Notes the order, once, and says how its task stands now. */
  take(order: Order): Stand {
    const { turns } = this.#home;
    let taken = this.#taken.get(order.id);
    if (!taken) {
      const job = order.call ? turns.find(callKey(order.client, order.call)) : (turns.running ?? this.#onStack);
      taken = { order, job };
      // The stack may be too full for the one or the other; then it is taken anew.
      if (order.kind !== 'peek') this.#doom(taken);
      this.#taken.set(order.id, taken);
    }
    return this.#standOf(taken);
  }

  /** When the event loop turns: no user code is on the stack. */
  receive(order: Order, reply?: (outcome: Outcome) => void): void {
    const { id } = order;
    this.#received = id;
    if (this.#early.delete(id)) return;
    const stand = this.take(order);
    if (order.kind === 'peek') {
      this.#taken.delete(id);
      this.#home.answer({ type: 'stands', id, stand });
      return;
    }
    const taken = this.#taken.get(id)!;
    const { job } = taken;
    if (reply) taken.reply = reply;
    if (stand === 'waiting') {
      this.#answer(id, 'never-started');
      if (job) this.#home.turns.settle(job, false, job.failure);
    } else if (stand === 'done' || stand === 'idle') this.#answer(id, stand);
    // Else it waits for something, perhaps for ever; no code of its own runs that could be stopped.
    else if (job?.watched) {
      if (!reply) this.#home.answer({ type: 'stands', id, stand });
      setTimeout(() => this.#abandon(id), GRACE);
    } else this.#abandon(id);
  }

  /** It is about to. */
  unwinding(): void {
    this.#suspects = this.#home.turns.inFlight;
  }

  /**
   * The supervisor has terminated all that was on the stack, and what was about to go on in the same turn is lost. Whose
   * promises were among that, nobody knows: whatever else is at an await is given up.
   */
  unwound(order?: Order): void {
    currentJob.enterWith(undefined as unknown as Job);
    const { turns } = this.#home;
    turns.unwound();
    const taken = order && this.#taken.get(order.id);
    for (const job of this.#suspects.splice(0)) {
      if (job === taken?.job || job.state === 'done') continue;
      job.doom(new InterruptedError(LOST));
      turns.settle(job, false, (job.failure = job.doomed));
    }
    turns.pump(); // what was about to do so may be gone
    if (!order || !taken) return; // it had ended at the same time
    const { job } = taken;
    if (job && job.state !== 'done') turns.settle(job, false, (job.failure ??= job.doomed));
    if (this.#taken.has(order.id)) this.#answer(order.id, 'settled'); // it had ended before
  }

  /** Does a task that was told to stop go on here, and nobody else can? */
  get leftover(): boolean {
    const job = this.#onStack;
    return job?.state === 'done' && job.doomed !== undefined;
  }

  settled(job: Job): void {
    if (!this.#taken.size) return;
    for (const [id, taken] of this.#taken) if (taken.job === job) this.#answer(id, 'settled');
  }

  /** Why the call is not to be started, if it was withdrawn before it came. */
  withdrawn(key: number): Error | undefined {
    const error = this.#withdrawn.get(key);
    if (error) this.#withdrawn.delete(key);
    return error;
  }

  #doom({ order, job }: Taken): void {
    const error = order.kind === 'cancel' ? new CancelledError(order.reason) : new InterruptedError(order.reason);
    if (job) job.doom(error);
    else if (this.#isComing(order)) {
      this.#withdrawn.set(callKey(order.client, order.call), error);
      for (const oldest of this.#withdrawn.keys()) {
        if (this.#withdrawn.size <= WITHDRAWN) break;
        this.#withdrawn.delete(oldest);
      }
    }
  }

  /** On its way to this engine still. */
  #isComing({ client, call, due }: Order): boolean {
    return due && call > this.#home.arrived(client);
  }

  #standOf({ order, job }: Taken): Stand {
    const running = this.#onStack;
    const waits = order.kind === 'peek' && !this.#home.turns.running ? 'coming' : 'waiting';
    // Whoever waits for his turn, or for his reply, waits for that.
    if (running?.state === 'done' && running !== job && job?.state !== 'done') return 'stray';
    if (!job) return order.call ? (this.#isComing(order) ? waits : 'done') : 'idle';
    if (job.state === 'waiting') return waits;
    if (running !== job) return job.state === 'done' ? 'done' : running?.state === 'done' ? 'stray' : 'running';
    return job.state === 'running' && job.watched ? 'willing' : 'here';
  }

  /** What runs here, or what it was that this code was begun by. */
  get #onStack(): Job | undefined {
    return this.#home.turns.inside ?? currentJob.getStore();
  }

  #abandon(id: number): void {
    const job = this.#taken.get(id)?.job;
    if (!job || job.state === 'done') return;
    this.#answer(id, 'abandoned');
    this.#home.turns.settle(job, false, (job.failure ??= job.doomed));
  }

  #answer(id: number, outcome: Outcome): void {
    const { reply } = this.#taken.get(id) ?? {};
    this.#taken.delete(id);
    if (id > this.#received) this.#early.add(id);
    if (reply) reply(outcome);
    else this.#home.answer({ type: 'answer', id, outcome });
  }
}
