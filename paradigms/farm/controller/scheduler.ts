/**
 * Decides which task goes to which engine, and when. Tasks of clients that have had less of the engines' time come first; within a
 * client those of higher priority; within a priority those that came first. It does not know what tasks are: arguments and
 * results are bytes to it.
 */
import type { Demand } from '../../../core/index.ts';
import type { Lane } from './lanes.ts';
import type { Owner } from './owner.ts';
import type { Places } from './places.ts';
import type { Slot } from './slot.ts';
import { State, type Task } from './task.ts';

/** What a run is taken to last, in ms, before one of its function has ended. */
const UNKNOWN = 5;
/** The same where it is about more engines: a task that nobody has seen the end of may be a long one. */
const UNTRIED = 500;
/** The least that a run counts for, in ms: clocks are not finer. */
const LEAST = 0.005;

export interface SchedulerHooks {
  /** The task is about to be sent. */
  leaves(task: Task, slot: Slot): void;
  /** Calls back in so many ms. */
  later(ms: number, look: () => void): void;
}

export class Scheduler {
  readonly owners = new Map<number, Owner>();
  readonly places: Places;
  #hooks: SchedulerHooks;
  #round = 0;
  /** It will look whether an engine holds up what others could do. */
  #looks = false;
  /** Tasks in lanes, stale ones among them. */
  ready = 0;

  constructor(places: Places, hooks: SchedulerHooks) {
    this.places = places;
    this.#hooks = hooks;
  }

  /** The task can run. `first`: it had its turn before. */
  enqueue(task: Task, first = false): void {
    const { owner } = task;
    task.state = State.READY;
    task.at = performance.now();
    this.ready++;
    owner.lanes.add(task, this.places.demandOf(task), first);
    if (!owner.active) this.#wakes(owner);
  }

  /** Sends what can be sent now. */
  dispatch(): void {
    if (this.ready > 0) {
      const round = ++this.#round;
      this.places.waiting = this.ready / this.places.slots.size;
      for (let owner = this.#next(round); owner; owner = this.#next(round)) {
        const lane = owner.lanes.next(round);
        const task = lane?.head();
        if (!lane || !task) {
          owner.blocked = round;
          if (owner.lanes.empty) owner.active = false;
          continue;
        }
        const slot = this.places.find(task, lane);
        if (slot) {
          lane.queue.shift();
          this.ready--;
          this.assign(task, slot);
        } else this.#block(lane, round);
      }
      if (!this.#active()) this.ready = 0;
    }
    for (const slot of this.places.slots.values()) slot.flush(this.ready);
    if (!this.ready) this.#share();
  }

  assign(task: Task, slot: Slot): void {
    const { fn, owner, spec } = task;
    const expected = Math.max(fn.mean ?? UNKNOWN, LEAST);
    task.state = State.OUT;
    task.slot = slot;
    task.runs++;
    task.expected = expected;
    owner.served += expected;
    slot.load += task.expected;
    if (task.more?.alone) {
      slot.alone = true;
      slot.reserve(undefined);
    }
    if (spec.needs) slot.takes(spec.needs, 1);
    this.#hooks.leaves(task, slot);
    if (task.more) this.#sendAhead(task, slot);
  }

  /** Of what waits and what runs; of tasks of a kind, the first one stands for all. */
  demand(): Demand {
    const demand = { tasks: 0, ms: 0 };
    for (const slot of this.places.slots.values()) {
      demand.tasks += slot.out.size - slot.aside;
      demand.ms += slot.load;
    }
    for (const { lanes } of this.owners.values())
      for (const { queue } of lanes) {
        demand.tasks += queue.length;
        demand.ms += queue.length * (queue.peek()?.fn.mean ?? UNTRIED);
      }
    return demand;
  }

  /** A further copy of a task that is out. */
  duplicate(task: Task, slot: Slot): void {
    task.extra.twin = slot;
    slot.load += task.expected;
    if (task.spec.needs) slot.takes(task.spec.needs, 1);
    this.#hooks.leaves(task, slot);
    slot.flush(this.ready);
  }

  /** The engine is done with it, however that ended. */
  discharge(ticket: number, task: Task, slot: Slot): void {
    slot.out.delete(ticket);
    if (task.more?.aside === slot) {
      task.more.aside = undefined;
      slot.aside--;
    } else slot.load = slot.out.size ? Math.max(0, slot.load - task.expected) : 0;
    if (!slot.out.size || slot.begun === task) {
      slot.alone = false;
      slot.begun = undefined;
    }
    if (task.spec.needs) slot.takes(task.spec.needs, -1);
    if (slot.empty) slot.drained?.();
  }

  /** It waits for the cluster: it needs no place until it ends. */
  stepAside(task: Task, slot: Slot): void {
    if (task.more?.aside) return;
    task.extra.aside = slot;
    slot.aside++;
    if (task.more?.alone) {
      slot.alone = false;
      slot.begun = undefined;
    }
    slot.load = Math.max(0, slot.load - task.expected);
  }

  /** An engine that has nothing to do, and room for this one. */
  idleFor(task: Task, but: Slot): Slot | undefined {
    if (this.ready) return undefined;
    const { targets, needs } = task.spec;
    for (const slot of this.places.slots.values()) {
      if (slot === but || !slot.alive || slot.draining || slot.out.size || slot.reserved) continue;
      if ((!targets || targets.includes(slot.id)) && (!needs || slot.hasFree(needs))) return slot;
    }
    return undefined;
  }

  /**
   * What only waits for tasks of this engine can wait there: a chain of short tasks would otherwise cost a journey each. It runs
   * there in the order in which it is sent.
   */
  #sendAhead(task: Task, slot: Slot): void {
    // What comes before it may be on its way back.
    if (slot.recalling || slot.draining) return;
    for (const next of task.more!.dependents) {
      const more = next.more!;
      if (next.state !== State.WAITING || next.spec.needs || next.spec.targets || next.spec.key || more.alone) continue;
      if (!slot.hasRoom(next.fn.mean, 1, this.places.waiting) || slot.reserved) return;
      const here = more.predecessors.every(
        (before) => 'runs' in before && (before.more?.place || (before.state === State.OUT && before.slot === slot)),
      );
      if (here) this.assign(next, slot);
    }
  }

  /** A task that waits has come: what it waits for may be under way already. */
  ahead(task: Task): void {
    const before = task.more!.predecessors[0];
    if (before && 'runs' in before && before.state === State.OUT && before.slot) this.#sendAhead(before, before.slot);
  }

  /** Of those who have something that could go now, the one that was served least. */
  #next(round: number): Owner | undefined {
    let best: Owner | undefined;
    for (const owner of this.owners.values()) {
      if (!owner.active || owner.blocked === round) continue;
      if (!best || owner.served < best.served) best = owner;
    }
    return best;
  }

  #active(): boolean {
    for (const owner of this.owners.values()) if (owner.active) return true;
    return false;
  }

  /** Who had nothing to do has no claim to what it did not use. */
  #wakes(owner: Owner): void {
    let least = Number.POSITIVE_INFINITY;
    for (const other of this.owners.values()) if (other.active) least = Math.min(least, other.served);
    if (least !== Number.POSITIVE_INFINITY) owner.served = Math.max(owner.served, least);
    owner.active = true;
  }

  #block(lane: Lane, round: number): void {
    lane.blocked = round;
    if (lane.demand.alone) this.places.reserve(lane);
  }

  /** Nothing waits, and some engine is idle: the one that has most to do gives back what could run there. */
  #share(): void {
    const idle: Slot[] = [];
    let busiest: Slot | undefined;
    const now = performance.now();
    for (const slot of this.places.slots.values()) {
      const size = slot.out.size - slot.aside;
      if (size > 1 && !slot.allBegun) {
        slot.listen(now);
        if (!busiest || slot.burden > busiest.burden) busiest = slot;
      } else if (size <= 0 && slot.alive && !slot.draining) idle.push(slot);
    }
    if (!busiest || !idle.length || busiest.recalling) return;
    if (busiest.burden >= WORTH) {
      for (const slot of idle) if (this.#recall(busiest, slot)) return;
    } else if (!this.#looks) {
      // It should be done soon. If not, what it runs takes longer than was expected.
      this.#looks = true;
      this.#hooks.later(LOOK, () => {
        this.#looks = false;
        this.dispatch();
      });
    }
  }

  /** False: it has nothing that could run there. */
  #recall(busiest: Slot, idle: Slot): boolean {
    const [, ...movable] = [...busiest.out.values()].filter((task, i) => !i || canMove(task, idle));
    // What comes after the middle one waits there for others, or goes with it.
    const from = movable[busiest.silent ? 0 : movable.length >> 1];
    if (!from) return false;
    busiest.recalling = true;
    busiest.tell('recall', { client: from.owner.id, call: from.call });
    return true;
  }
}

/** What has been moved from there before stays where it is: else it might be on its way for ever. */
function canMove({ spec, more }: Task, to: Slot): boolean {
  const { targets, needs, key } = spec;
  if (needs || key !== undefined || (targets && !targets.includes(to.id))) return false;
  if (!more) return true;
  return !more.waits && !more.aside && !more.avoid?.has(to.id) && !more.dependencies.some(({ as }) => as === 'place');
}

/** Less work than that is done sooner than it is moved. ms. */
const WORTH = 4;
/** ms until it looks again. */
const LOOK = 50;
