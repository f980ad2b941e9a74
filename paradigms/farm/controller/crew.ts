/** The engines: who joins, who is lost, and what that means for the tasks that were there. */
import { type ClusterEvent, type ControllerHost, type EngineInfo, LaunchError } from '../../../core/index.ts';
import { TaskKillsEnginesError, UnsatisfiableError } from '../errors.ts';
import type { Outcomes } from './outcomes.ts';
import type { Scheduler } from './scheduler.ts';
import { Slot } from './slot.ts';
import { State, type Task } from './task.ts';

/** Engines that a task may end before it is stopped. */
const KILLS = 3;
/** The same of one that was never there alone, since others waited for the cluster meanwhile. */
const SUSPICIONS = 10;
/** Starts of an engine in the place of one that was lost. */
const STARTS = 5;
/** Engines run tasks in their order, and report so often that no later ones can have begun: so many, or so many ms of work. */
const UNREPORTED = { tasks: 512, ms: 20 };
/** What engines are lost for when somebody wants it so: no task is to blame. */
const WANTED = /^(restarted|removed)$/;

export class Crew {
  #host: ControllerHost;
  #scheduler: Scheduler;
  #outcomes: Outcomes;

  constructor(host: ControllerHost, scheduler: Scheduler, outcomes: Outcomes) {
    this.#host = host;
    this.#scheduler = scheduler;
    this.#outcomes = outcomes;
    for (const engine of host.engines) if (engine.state !== 'lost') this.#joined(engine);
    host.onEvent((event) => this.#event(event));
    host.onDrain((id) => this.#drain(id));
  }

  get slots(): Map<number, Slot> {
    return this.#scheduler.places.slots;
  }

  /** What it says that it has. */
  declares(id: number, resources: Record<string, number>): void {
    const slot = this.slots.get(id);
    if (!slot) return;
    slot.resources = resources;
    for (const owner of this.#scheduler.owners.values())
      for (const task of owner.tasks.values()) if (task.spec.needs && task.state === State.READY) this.#refuse(task);
    this.#scheduler.dispatch();
  }

  /** It holds up a task that must end, and others with it. */
  restart(slot: Slot, why: string): void {
    if (!slot.alive) return;
    this.#host.log.warn(`Engine ${slot.id} is restarted: ${why}`);
    this.#host.restart([slot.id]).catch((error) => {
      this.#host.log.error(`Engine ${slot.id} cannot be restarted`, { error });
    });
  }

  /** Now that all have said what they have. */
  #refuse(task: Task): void {
    const why = this.#scheduler.places.impossible(task.spec);
    if (why) this.#outcomes.fail(task, new UnsatisfiableError(`No engine can take task ${task.id}: ${why}`));
  }

  #event(event: ClusterEvent): void {
    if (event.type === 'engine-joined') this.#joined(event.engine);
    else if (event.type === 'engine-lost') this.#lost(event.engine.id, event.reason);
    else if (event.type === 'engine-removed') this.slots.delete(event.engine.id);
    else return;
    this.#scheduler.dispatch();
  }

  /** What it has it may finish; what waits goes to others. */
  async #drain(id: number): Promise<void> {
    const slot = this.slots.get(id);
    if (!slot?.alive) return;
    slot.draining = true;
    if (!slot.empty)
      await new Promise<void>((resolve) => {
        slot.drained = resolve;
      });
  }

  #joined(engine: EngineInfo): void {
    const before = this.slots.get(engine.id);
    if (before?.alive) this.#lost(engine.id, 'rejoined');
    const slot = new Slot(engine, this.#host.engine(engine.id), this.#host.parcel);
    if (before) slot.resources = before.resources;
    this.slots.set(engine.id, slot);
  }

  #lost(id: number, reason: string): void {
    const slot = this.slots.get(id);
    if (!slot?.alive) return;
    slot.alive = false;
    const tasks = [...slot.out.values()];
    slot.out.clear();
    slot.drained?.();
    const used = slot.kept.size > 0 || [...this.#scheduler.owners.values()].some((owner) => owner.tasks.size > 0);
    for (const task of slot.kept) if (task.state === State.KEPT) task.state = State.GONE;
    if (slot.kept.size) this.#outcomes.valuesLost();
    slot.kept.clear();
    const wanted = WANTED.test(reason);
    const suspects = wanted ? NOBODY : suspectsAmong(slot, tasks);
    const [only] = tasks.length === 1 ? tasks : [];
    // What needs nothing begins as soon as it is there.
    const certain = only !== undefined && (only === slot.begun || only.source instanceof Uint8Array);
    // In front of the queue, and in their order.
    for (let i = tasks.length - 1; i >= 0; i--) {
      const task = tasks[i]!;
      this.#left(task, slot, { blamed: suspects.has(task), certain, reason });
    }
    if (used && !wanted && reason !== 'rejoined') void this.#heal(id);
  }

  /** A task that was on an engine when that was lost. Which one ran is certain only if there was no other. */
  #left(
    task: Task,
    slot: Slot,
    { blamed, certain, reason }: { blamed: boolean; certain: boolean; reason: string },
  ): void {
    if (task.state !== State.OUT) return;
    const more = task.extra;
    if (more.twin) {
      task.slot = slot === more.twin ? task.slot : more.twin;
      more.twin = undefined;
      return;
    }
    if (more.stopping !== undefined) {
      this.#outcomes.stopped(task);
      return;
    }
    more.lost++;
    if (blamed) {
      (more.avoid ??= new Set()).add(slot.id);
      more.ended.push(slot.id);
      if (certain) more.kills++;
      more.suspected++;
      if (more.kills >= KILLS || more.suspected >= SUSPICIONS) {
        this.#outcomes.fail(task, killer(task, reason));
        return;
      }
    }
    this.#outcomes.requeue(task, `engine ${slot.id} was lost: ${reason}`);
  }

  /** Another one in its place, unless it joined by itself: whoever started it may do so again. */
  async #heal(id: number): Promise<void> {
    for (let starts = 1; ; starts++) {
      try {
        await this.#host.restart([id]);
        return;
      } catch (error) {
        if (!(error instanceof LaunchError)) return;
        // It may have been ended while it was starting, like the one before it.
        if (starts < STARTS) continue;
        this.#host.log.error(`Engine ${id} does not start any more`, { error });
        return;
      }
    }
  }
}

const NOBODY: ReadonlySet<Task> = new Set();

/** Those that may have been running. What waited there for others, or alone for its arguments, had not begun. */
function suspectsAmong({ alone, begun }: Slot, tasks: readonly Task[]): ReadonlySet<Task> {
  const suspects = new Set<Task>();
  let ms = 0;
  for (const task of tasks) {
    if (task.more?.waits || (alone && task !== begun && !task.more?.aside)) continue;
    if (suspects.size >= UNREPORTED.tasks || ms > UNREPORTED.ms) break;
    suspects.add(task);
    ms += task.fn.mean ?? 0;
  }
  return suspects;
}

function killer({ id, fn, spec, more }: Task, reason: string): TaskKillsEnginesError {
  const { ended, kills } = more!;
  const name = spec.label ?? `of '${fn.name}'`;
  const alone = kills ? 'the last one when it ran alone' : 'beside tasks that waited for the cluster';
  return new TaskKillsEnginesError(
    `Task ${id} (${name}) has ended ${ended.length} engines (${ended.join(', ')}), ${alone}: ${reason}. It is not run again; look for process.exit, crashes of native code, and memory`,
    ended,
  );
}
