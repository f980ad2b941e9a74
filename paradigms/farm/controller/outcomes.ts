/** What becomes of tasks: results, further runs, failures, and what all this means for those that wait for them. */
import {
  type ControllerHost,
  DependencyError,
  InterruptedError,
  type Parcel,
  Parcel as ParcelOf,
  TimeoutError,
  UsageError,
} from '../../../core/index.ts';
import { Ending, type FarmEvent, type Report, type Root } from '../messages.ts';
import { PieceReader } from '../pieces.ts';
import type { Alarms } from './alarms.ts';
import { callKey } from './keys.ts';
import type { Value } from './owner.ts';
import type { Scheduler } from './scheduler.ts';
import type { Slot } from './slot.ts';
import type { Tally } from './tally.ts';
import { Foreign, type More, State, type Task } from './task.ts';

/** Runs that a task may lose for want of a value among its arguments. */
const STARVED = 20;

/** Values up to here go to those that wait for them with their orders; others are fetched from where they are. Bytes. */
const SMALL = 4 << 10;

/** What is known of a run that has ended. */
export interface Run {
  ending: Ending;
  value: Value | undefined;
  slot: Slot | undefined;
  started: number;
  ran: number;
  bytes: number;
}

export class Outcomes {
  readonly foreign = new Map<number, Foreign>();
  #host: ControllerHost;
  #scheduler: Scheduler;
  #alarms: Alarms;
  #tally: Tally;
  /** A task is over, in whatever way. */
  onOver: (task: Task, run: Run) => void = () => {};
  /** A run of it was ended from outside. */
  onStopped: (task: Task) => void = () => {};
  /** What was held has been decided. */
  onLate: () => void = () => {};

  constructor(host: ControllerHost, scheduler: Scheduler, alarms: Alarms, tally: Tally) {
    this.#host = host;
    this.#scheduler = scheduler;
    this.#alarms = alarms;
    this.#tally = tally;
  }

  /** From an engine: in the order in which its runs ended. */
  report(slot: Slot, report: Report): void {
    const { tickets, endings, started, ran, sizes, values, returned, told } = report;
    const value = new PieceReader(values, ParcelOf);
    slot.heard();
    for (let i = 0; i < tickets.length; i++) {
      value.next();
      const ticket = tickets[i]!;
      const task = slot.out.get(ticket);
      if (!task) continue;
      const end = told.get(i);
      if (end) slot.held++;
      this.#scheduler.discharge(ticket, task, slot);
      slot.ended(ticket, started[i]!, ran[i]!);
      slot.done++;
      slot.busy += ran[i]!;
      const { source, from, size, parcel } = value;
      const run: Run = {
        ending: endings[i] as Ending,
        value: { source: parcel ?? source, from, size },
        slot,
        started: started[i]!,
        ran: ran[i]!,
        bytes: sizes[i]!,
      };
      if (end) this.#hold(task, run, slot, end);
      else this.#ended(task, run);
    }
    if (this.#scheduler.ready) slot.reported();
    if (returned.length || slot.recalling) this.#returned(slot, returned);
  }

  /** What it has printed goes another way, and comes before its outcome. */
  #hold(task: Task, run: Run, slot: Slot, end: number): void {
    task.more?.alarm?.cancel();
    this.#host.whenTold(slot.id, end, (lost) => {
      slot.held--;
      if (slot.empty) slot.drained?.();
      if (lost && task.state === State.OUT && !task.more?.unheard) {
        // Once: it may be itself what ends engines when it is done.
        task.extra.unheard = true;
        task.more!.lost++;
        this.requeue(task, `engine ${slot.id} was lost before what it had printed came`);
      } else this.#ended(task, run);
      this.onLate();
    });
  }

  /** It cannot be carried out. */
  fail(task: Task, error: Error, ending: Ending = Ending.LOST): void {
    const value = { source: this.#host.parcel(error), from: 0, size: 0 };
    this.settle(task, { ending, value, slot: task.slot, started: 0, ran: 0, bytes: 0 });
  }

  /** It was told to stop, and its engine had to be ended for it: that counts as a run. */
  stopped(task: Task): void {
    task.more!.stopping = undefined;
    task.state = State.OUT;
    this.#ended(task, { ending: Ending.TIMEOUT, value: undefined, slot: task.slot, started: 0, ran: 0, bytes: 0 });
  }

  /** What it depends on has failed already. */
  failWith(task: Task, root: Root): void {
    this.#dependencyFailed(task, root);
  }

  /** Everybody is told how it ended. */
  settle(task: Task, run: Run): void {
    const { owner, more } = task;
    const { ending, value, slot } = run;
    const kept = ending === Ending.KEPT;
    const good = kept || ending === Ending.OK;
    const told = task.more?.again;
    if (more) {
      more.alarm?.cancel();
      more.deadline?.cancel();
      more.alarm = more.deadline = undefined;
    }
    task.state = kept ? State.KEPT : State.OVER;
    // Of what is over and plain, where it was made can be seen by its slot.
    task.slot = kept ? undefined : slot;
    if (!good) task.extra.root = this.#rootOf(task, run);
    else if (slot && (kept || more)) task.extra.place = placeAt(slot, run.bytes);
    if (good && !kept && more?.dependents.length && (run.bytes <= SMALL || owner.gone)) more.value = ownValue(run);
    if (kept) slot!.kept.add(task);
    else if (!told) owner.tasks.delete(task.call);
    if (told) {
      more!.again = undefined;
      for (const tell of told) tell(good);
    } else {
      task.fn.uses--;
      this.#tally.over(ending, run.ran);
      owner.settled(task, ending, value, slot, run.started, run.ran, run.bytes);
      if (!owner.gone) owner.past.set(task.call, task);
      if (owner.watching) this.#event(task, good ? 'done' : ending === Ending.STOPPED ? 'cancelled' : 'failed', run);
      this.onOver(task, run);
    }
    if (ending >= Ending.LOST) this.onStopped(task);
    if (more?.dependents.length) this.#release(task, good);
  }

  /** Finds what `task` depends on. What is returned has failed already. */
  link(task: Task): Root | undefined {
    const more = task.more!;
    for (const { client, call, strict } of more.dependencies) {
      const owner = this.#scheduler.owners.get(client);
      const there = owner?.tasks.get(call);
      const past = owner?.past.get(call);
      if (there && there.state !== State.KEPT && there.state !== State.GONE) {
        more.predecessors.push(there);
        there.extra.dependents.push(task);
        more.waits++;
      } else if (there ?? past) {
        const before = (there ?? past)!;
        if (past?.more?.root) return past.more.root;
        if (past?.slot) before.extra.place ??= placeAt(past.slot, 0);
        more.predecessors.push(before);
      } else if (strict) {
        const error = new UsageError(
          `Task ${task.id} is to run after task ${client}.${call}, and there is no such task (any more)`,
        );
        return { id: `${client}.${call}`, ending: Ending.LOST, engine: -1, error: this.#host.parcel(error) };
      } else this.#linkForeign(task, callKey(client, call));
    }
    return undefined;
  }

  /** A client says of a result that is no task here where it was made, or why it was not. */
  placed(client: number, call: number, failed: Parcel | undefined): void {
    const key = callKey(client, call);
    const foreign = this.foreign.get(key);
    if (!foreign) return;
    this.foreign.delete(key);
    foreign.settled = true;
    foreign.failed = failed;
    for (const task of foreign.dependents) {
      if (failed)
        this.#dependencyFailed(task, { id: `${client}.${call}`, ending: Ending.LOST, engine: -1, error: failed });
      else this.#arrived(task);
    }
  }

  /** Runs it again for its value, which went down with its engine. `done` says whether it is there again. */
  again(task: Task, done: (good: boolean) => void): void {
    const more = task.extra;
    if (more.again) {
      more.again.push(done);
      return;
    }
    more.again = [done];
    more.place = undefined;
    more.waits = 0;
    task.owner.tasks.set(task.call, task);
    this.#tally.requeued++;
    this.#event(task, 'requeued', undefined, 'its value was lost');
    this.#feed(task);
  }

  /** Nothing is to come; but what there was may be gone. */
  feed(task: Task): void {
    this.#feed(task);
  }

  /** It goes back into the queue, in front of those that have not had their turn. */
  requeue(task: Task, reason: string): void {
    task.slot = undefined;
    this.#tally.requeued++;
    this.#event(task, 'requeued', undefined, reason);
    if (task.more?.predecessors.length) this.#feed(task);
    else this.#scheduler.enqueue(task, true);
  }

  /** Values have gone down with an engine: what was ready for its turn may want them. */
  valuesLost(): void {
    for (const owner of this.#scheduler.owners.values())
      for (const task of owner.tasks.values())
        if (
          task.state === State.READY &&
          task.more?.predecessors.some((one) => 'runs' in one && one.state === State.GONE)
        )
          this.#feed(task);
  }

  event(task: Task, type: FarmEvent['type'], slot?: Slot, reason?: string): void {
    if (task.owner.watching) this.#event(task, type, slot && { slot, ran: 0 }, reason);
  }

  #ended(task: Task, run: Run): void {
    const { slot } = run;
    if (task.state !== State.OUT) return; // cancelled, or its deadline has passed
    const { more, spec } = task;
    if (more?.stopping !== undefined) {
      more.stopping = undefined;
      if (run.ending !== Ending.OK && run.ending !== Ending.KEPT) run.ending = Ending.TIMEOUT;
    }
    if (more?.twin && !this.#firstOfTwo(task, run)) return;
    const { ending } = run;
    if (ending === Ending.OK || ending === Ending.KEPT) {
      task.fn.pace.ran(run.ran);
      this.settle(task, run);
      return;
    }
    if (ending === Ending.STARVED && more && ++more.starved <= STARVED) {
      task.runs--;
      this.#feed(task);
      return;
    }
    if (more?.waits) {
      // It was sent ahead, and what it waits for has failed there; it may come from elsewhere.
      task.runs--;
      task.state = State.WAITING;
      return;
    }
    if (ending === Ending.FAILED) task.fn.pace.ran(run.ran);
    const counted = task.runs - (more?.lost ?? 0);
    const again = (ending === Ending.FAILED || ending === Ending.TIMEOUT) && counted < spec.attempts;
    if (!again) {
      this.#giveUp(task, run);
      return;
    }
    (task.extra.avoid ??= new Set()).add(slot!.id);
    if (ending === Ending.TIMEOUT) this.onStopped(task);
    this.#tally.retried++;
    this.#event(task, 'retried', run);
    this.#retryIn(task, this.#pause(task, counted));
  }

  #giveUp(task: Task, run: Run): void {
    if (run.ending === Ending.FINAL) run.ending = Ending.FAILED;
    if (run.ending === Ending.STOPPED) this.fail(task, new InterruptedError('Interrupted before it began'));
    else if (run.ending === Ending.TIMEOUT) this.fail(task, timeoutError(task), Ending.LOST);
    else this.settle(task, run);
  }

  /** ms until the next run: longer each time, and not the same for everybody. */
  #pause({ spec: { backoff } }: Task, failed: number): number {
    if (!backoff) return 0;
    const [first, factor, most] = backoff;
    return Math.min(first * factor ** (failed - 1), most) * (0.75 + 0.5 * Math.random());
  }

  #retryIn(task: Task, ms: number): void {
    task.slot = undefined;
    if (ms <= 0) {
      this.#scheduler.enqueue(task);
      return;
    }
    task.state = State.DELAYED;
    task.extra.alarm = this.#alarms.in(ms, () => {
      task.extra.alarm = undefined;
      this.#scheduler.enqueue(task);
      this.#scheduler.dispatch();
    });
  }

  /** False: the other copy decides. */
  #firstOfTwo(task: Task, { ending, slot }: Run): boolean {
    const more = task.more!;
    const other = slot === more.twin ? task.slot! : more.twin!;
    more.twin = undefined;
    task.slot = other;
    if (ending !== Ending.OK && ending !== Ending.KEPT) return false;
    other.tell('cancel', { client: task.owner.id, call: task.call, reason: 'another copy of it was faster' });
    task.slot = slot;
    return true;
  }

  #returned(slot: Slot, tickets: Uint32Array): void {
    slot.recalling = false;
    slot.allBegun = !tickets.length;
    for (let i = tickets.length - 1; i >= 0; i--) {
      const task = slot.out.get(tickets[i]!);
      if (!task) continue;
      this.#scheduler.discharge(tickets[i]!, task, slot);
      if (task.state !== State.OUT || task.slot !== slot) continue;
      task.runs--;
      task.slot = undefined;
      // It was to go elsewhere, even where its arguments are not.
      if (task.more) (task.more.avoid ??= new Set()).add(slot.id);
      if (task.more?.waits) task.state = State.WAITING;
      else this.#scheduler.enqueue(task, true);
    }
  }

  /** Sees to it that what its arguments need is there, made again where it must be; then it is ready. */
  #feed(task: Task): void {
    const more = task.extra;
    task.slot = undefined;
    task.state = State.WAITING;
    // Some may be under way, sent back like this one or made again for others.
    for (const before of more.predecessors) {
      if (!('runs' in before) || isSettled(before) || before.more?.dependents.includes(task)) continue;
      before.extra.dependents.push(task);
      more.waits++;
    }
    const lost = more.predecessors.filter(
      (before): before is Task => 'runs' in before && isSettled(before) && !there(before, more.starved),
    );
    more.waits += lost.length;
    if (!more.waits) this.#scheduler.enqueue(task, task.runs > 0);
    for (const before of lost)
      this.again(before, (good) => {
        if (good) this.#arrived(task);
        else if (task.state === State.WAITING)
          this.fail(task, new DependencyError(`Task ${before.id}, whose value was lost, has failed when it ran again`));
      });
  }

  #release(task: Task, good: boolean): void {
    const { dependents, root } = task.more!;
    task.more!.dependents = [];
    for (const next of dependents) {
      if (good) this.#arrived(next);
      else this.#dependencyFailed(next, root!);
    }
  }

  #arrived(task: Task): void {
    const more = task.more!;
    more.waits--;
    if (!more.waits && task.state === State.WAITING) this.#scheduler.enqueue(task);
  }

  /** What failed first: those between are failures of dependencies themselves. */
  #rootOf(task: Task, run: Run): Root {
    if (run.ending === Ending.DEPENDENCY && task.more?.root) return task.more.root;
    return { id: task.id, ending: run.ending, engine: run.slot?.id ?? -1, error: ownValue(run) };
  }

  #dependencyFailed(task: Task, root: Root): void {
    if (task.state === State.OVER) return;
    if (task.state === State.OUT)
      task.slot?.tell('cancel', { client: task.owner.id, call: task.call, reason: 'what it waits for has failed' });
    task.extra.root = root;
    const value = { source: this.#host.parcel(root), from: 0, size: 0 };
    this.settle(task, { ending: Ending.DEPENDENCY, value, slot: undefined, started: 0, ran: 0, bytes: 0 });
  }

  #linkForeign(task: Task, key: number): void {
    let foreign = this.foreign.get(key);
    if (!foreign) this.foreign.set(key, (foreign = new Foreign()));
    foreign.dependents.push(task);
    task.more!.predecessors.push(foreign);
    task.more!.waits++;
  }

  #event(task: Task, type: FarmEvent['type'], run?: { slot?: Slot | undefined; ran: number }, reason?: string): void {
    if (!task.owner.watching) return;
    const { label } = task.spec;
    task.owner.event({
      type,
      id: task.id,
      attempt: task.runs,
      ...(label !== undefined && { label }),
      ...(run?.slot && { engine: run.slot.id }),
      ...(run?.ran && { ms: run.ran }),
      ...(reason !== undefined && { reason }),
    });
  }
}

function placeAt(slot: Slot, bytes: number): NonNullable<More['place']> {
  return { slot, incarnation: slot.incarnation, bytes };
}

/** With memory of its own. */
function ownValue({ value }: Run): Parcel | undefined {
  if (!value) return undefined;
  const { source, from, size } = value;
  return source instanceof Uint8Array ? ParcelOf.of(source.slice(from, from + size)) : source;
}

function isSettled({ state }: Task): boolean {
  return state === State.KEPT || state === State.OVER || state === State.GONE;
}

/** Can its value still be had? What is small may be with its client, until that turns out to be wrong. */
function there(task: Task, starved: number): boolean {
  if (task.more?.value) return true;
  const place = task.more?.place;
  if (!place || task.state === State.GONE) return false;
  if (task.state === State.KEPT) return place.slot.alive && place.slot.incarnation === place.incarnation;
  return starved < 2;
}

function timeoutError({ id, spec: { timeout, label }, runs }: Task): TimeoutError {
  const name = label === undefined ? `Task ${id}` : `Task ${id} (${label})`;
  return new TimeoutError(`${name} ran for more than its timeout of ${timeout} ms, in attempt ${runs}`);
}
