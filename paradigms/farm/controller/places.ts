/** Where tasks can run, and where they had better: targets, resources, the engine of a `key`, of what they follow, of large arguments. */
import type { Explanation, Spec } from '../messages.ts';
import type { Demand, Lane } from './lanes.ts';
import { type Policy, type PolicyName, policies } from './policy.ts';
import type { Slot } from './slot.ts';
import { State, type Task } from './task.ts';

/** Arguments below this are fetched from wherever they are. Bytes. */
const LARGE = 64 << 10;
/** Keys whose engine is remembered. */
const KEYS = 100_000;

export class Places {
  readonly slots = new Map<number, Slot>();
  /** How many tasks wait for each engine. */
  waiting = 0;
  #policies = new Map<string, Policy>();
  #keys = new Map<string, number>();

  /** What a task that is ready demands: it decides on its lane. */
  demandOf(task: Task): Demand {
    const { needs, targets, key } = task.spec;
    const pinned = this.#followed(task) ?? (key === undefined ? undefined : this.#keyed(task.owner.id, key));
    const alone = task.more?.alone ?? false;
    if (!needs && !targets && pinned === undefined && !alone) return NOTHING;
    return { needs, targets, pinned, alone };
  }

  /** Why no engine will ever take such a task, if so. */
  impossible({ needs, targets }: Spec): string | undefined {
    if (targets && !targets.some((id) => this.slots.has(id))) {
      const known = [...this.slots.keys()].join(', ');
      return `its targets are ${targets.join(', ')}, and the engines here are ${known || 'none'}`;
    }
    if (!needs || !this.slots.size) return undefined;
    const possible = [...this.slots.values()].filter(({ id }) => !targets || targets.includes(id));
    if (possible.some((slot) => !slot.resources || slot.couldHave(needs))) return undefined;
    const has = possible.map(({ id, resources }) => `engine ${id} has ${show(resources ?? {})}`).join(', ');
    return `it needs ${show(needs)}, and ${has}; engines declare what they have in TUTTI_RESOURCES, e.g. gpu=1`;
  }

  /** An engine with room for it now. */
  find(task: Task, { demand }: Lane): Slot | undefined {
    const { spec, fn, more } = task;
    const concurrency = spec.concurrency ?? 1;
    // Most often one policy decides, and nothing else; then no list is needed.
    const best = more ? undefined : this.#policy(spec).best;
    let chosen: Slot | undefined;
    const candidates: Slot[] = [];
    for (const slot of this.slots.values()) {
      if (!slot.alive || !slot.hasRoom(fn.mean, concurrency, this.waiting)) continue;
      // What waits for the cluster there may wait for this very task.
      const free = slot.out.size === slot.aside;
      if (slot.reserved && !(demand.alone && free)) continue;
      if (slot.draining && demand.pinned !== slot.id && !demand.targets?.includes(slot.id)) continue;
      if (demand !== NOTHING && (!fits(slot, demand) || (demand.alone && !free))) continue;
      if (best) chosen = chosen ? best(chosen, slot) : slot;
      else candidates.push(slot);
    }
    if (best || !candidates.length) return chosen;
    if (!more) return this.#policy(spec).choose(candidates);
    const avoided = more.avoid;
    const better = avoided ? candidates.filter(({ id }) => !avoided.has(id)) : candidates;
    const from = better.length ? better : candidates;
    return largest(task, from) ?? this.#policy(spec).choose(from);
  }

  /** A task that must be alone waits: some engine is to run dry for it. */
  reserve(lane: Lane): void {
    const { demand } = lane;
    let best: Slot | undefined;
    for (const slot of this.slots.values()) {
      if (!slot.alive || slot.draining || slot.alone || !fits(slot, { ...demand, needs: undefined })) continue;
      if (slot.reserved) return;
      if (!best || slot.burden < best.burden) best = slot;
    }
    best?.reserve(lane);
  }

  /** Why a task that is ready is not out. */
  explain(task: Task): Pick<Explanation, 'why'> & { engine?: number } {
    const { needs, targets } = task.spec;
    const impossible = this.impossible(task.spec);
    if (impossible) return { why: `no engine can take it: ${impossible}` };
    const alive = [...this.slots.values()].filter((slot) => slot.alive);
    if (!alive.length) return { why: 'there is no engine; it waits for one to join' };
    const demand = this.demandOf(task);
    const fitting = alive.filter(({ id }) => demand.pinned === undefined || demand.pinned === id);
    const { pinned } = demand;
    if (pinned !== undefined) return { why: `it waits for engine ${pinned}, where it must run`, engine: pinned };
    const named = fitting.filter(({ id }) => !targets || targets.includes(id));
    if (!named.length) return { why: `none of its targets is there: ${targets!.join(', ')}` };
    if (needs && !named.some((slot) => slot.hasFree(needs)))
      return { why: `it waits for ${show(needs)}, which other tasks have now` };
    return { why: targets ? `its targets are busy: ${targets.join(', ')}` : 'all engines are busy' };
  }

  #policy({ policy = 'leastLoaded' }: Spec): Policy {
    let made = this.#policies.get(policy);
    if (!made) this.#policies.set(policy, (made = (policies[policy as PolicyName] ?? policies.leastLoaded)()));
    return made;
  }

  #followed({ more }: Task): number | undefined {
    if (!more) return undefined;
    for (const [i, { as }] of more.dependencies.entries()) {
      const before = more.predecessors[i];
      const place = as === 'place' && before && 'more' in before ? before.more?.place : undefined;
      if (place?.slot.alive) return place.slot.id;
    }
    return undefined;
  }

  /** The engine that had this key before, while it lives; else the one with least to do. */
  #keyed(owner: number, key: string): number | undefined {
    const name = `${owner} ${key}`;
    const before = this.#keys.get(name);
    const tied = before === undefined ? undefined : this.slots.get(before);
    if (tied?.alive && !tied.draining) return before;
    let best: Slot | undefined;
    for (const slot of this.slots.values())
      if (slot.alive && !slot.draining && (!best || slot.keyed < best.keyed)) best = slot;
    if (!best) return undefined;
    best.keyed++;
    this.#keys.delete(name);
    this.#keys.set(name, best.id);
    if (this.#keys.size > KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    return best.id;
  }
}

const NOTHING: Demand = {};

function fits(slot: Slot, { needs, targets, pinned }: Demand): boolean {
  if (pinned !== undefined && slot.id !== pinned) return false;
  if (targets && !targets.includes(slot.id)) return false;
  return !needs || slot.hasFree(needs);
}

/** The engine that has the largest of its arguments, if that is large. */
function largest({ more }: Task, slots: readonly Slot[]): Slot | undefined {
  let most = LARGE;
  let best: Slot | undefined;
  for (const before of more!.predecessors) {
    if (!('more' in before) || before.state !== State.KEPT) continue;
    const place = before.more?.place;
    if (!place || place.bytes < most || !slots.includes(place.slot)) continue;
    most = place.bytes;
    best = place.slot;
  }
  return best;
}

function show(needs: Readonly<Record<string, number>>): string {
  return (
    Object.entries(needs)
      .map(([name, amount]) => `${amount} ${name}`)
      .join(' and ') || 'nothing'
  );
}
