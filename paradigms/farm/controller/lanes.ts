/**
 * Tasks of one client that are ready: a lane for each priority and each kind of demand, so that whether the head of a lane can
 * go somewhere now answers for all behind it. Within a lane they go in the order in which they came.
 */
import { Deque } from './deque.ts';
import { State, type Task } from './task.ts';

export interface Demand {
  readonly needs?: Readonly<Record<string, number>> | undefined;
  readonly targets?: readonly number[] | undefined;
  /** It must run on this engine. */
  readonly pinned?: number | undefined;
  /** On an engine that has nothing else to do. */
  readonly alone?: boolean | undefined;
}

export class Lane {
  readonly name: string | number;
  readonly priority: number;
  readonly demand: Demand;
  readonly queue = new Deque<Task>();
  /** The round of dispatching in which nobody had room for its head. */
  blocked = -1;

  constructor(name: string | number, priority: number, demand: Demand) {
    this.name = name;
    this.priority = priority;
    this.demand = demand;
  }

  /** The first that still wants to run; what has been cancelled or moved meanwhile is left out. */
  head(): Task | undefined {
    for (let task = this.queue.peek(); task; task = this.queue.peek()) {
      if (task.state === State.READY && task.priority === this.priority) return task;
      this.queue.shift();
    }
    return undefined;
  }
}

export class Lanes {
  /** Highest priority first. */
  #lanes: Lane[] = [];
  /** By priority, where they demand nothing. */
  #byName = new Map<string | number, Lane>();

  add(task: Task, demand: Demand, first = false): void {
    const lane = this.#laneOf(task.priority, demand);
    if (first) lane.queue.unshift(task);
    else lane.queue.push(task);
  }

  /** The lane to be served next in this round. */
  next(round: number): Lane | undefined {
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      if (lane.blocked === round) continue;
      if (lane.head()) return lane;
      this.#lanes.splice(i--, 1);
      this.#byName.delete(lane.name);
    }
    return undefined;
  }

  get empty(): boolean {
    return !this.#lanes.length;
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#lanes[Symbol.iterator]();
  }

  #laneOf(priority: number, demand: Demand): Lane {
    const { needs, targets, pinned, alone } = demand;
    const plain = !needs && !targets && pinned === undefined && !alone;
    const name = plain ? priority : JSON.stringify([priority, needs, targets, pinned, alone]);
    const there = this.#byName.get(name);
    if (there) return there;
    const lane = new Lane(name, priority, demand);
    const after = this.#lanes.findIndex((other) => other.priority < priority);
    this.#lanes.splice(after < 0 ? this.#lanes.length : after, 0, lane);
    this.#byName.set(name, lane);
    return lane;
  }
}
