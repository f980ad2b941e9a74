/** What ends tasks early: cancels, timeouts, deadlines; and the second copies that overtake stragglers. */
import {
  type CallId,
  CancelledError,
  type ControllerHost,
  InterruptedError,
  TimeoutError,
} from '../../../core/index.ts';
import { Ending } from '../messages.ts';
import type { Alarms } from './alarms.ts';
import type { Crew } from './crew.ts';
import { callKey } from './keys.ts';
import type { Outcomes } from './outcomes.ts';
import type { Scheduler } from './scheduler.ts';
import type { Slot } from './slot.ts';
import { State, type Task } from './task.ts';

/** ms that an engine has to end a run whose time is over; what it cannot end is in a loop. */
const GRACE = 300;
/** ms after which an engine that does not answer is taken to be in a loop. */
const PATIENCE = 50;
/** A run is a straggler when it takes so many times as long as is usual of late, and this many ms. */
const STRAGGLES = 2;
const STRAGGLER_MS = 50;
/** ms between looks at a task of which it is not known how long it should take. */
const LOOK = 200;

/** Tasks that were stopped are remembered: so many. */
const STOPPED = 10_000;

export type Stopped = Awaited<ReturnType<ControllerHost['interrupt']>>;

export class Stops {
  #host: ControllerHost;
  #scheduler: Scheduler;
  #outcomes: Outcomes;
  #alarms: Alarms;
  #crew: Crew;
  /** By client and call; the latest of them. */
  #stopped = new Set<number>();

  constructor(host: ControllerHost, parts: { scheduler: Scheduler; outcomes: Outcomes; alarms: Alarms; crew: Crew }) {
    this.#host = host;
    this.#scheduler = parts.scheduler;
    this.#outcomes = parts.outcomes;
    this.#alarms = parts.alarms;
    this.#crew = parts.crew;
  }

  /** Its client knows already. */
  cancel(task: Task, reason: string): Stopped | Promise<Stopped> {
    const { slot } = task;
    if (task.state === State.OUT && slot) {
      const answer = this.#stopAt(slot, task, 'cancel', reason);
      this.#over(task, new CancelledError(reason));
      return answer;
    }
    this.#over(task, new CancelledError(reason));
    return 'never-started';
  }

  /** What it has submitted, for itself as it seems, is of no use to it any more; nor is what may be on its way. */
  cancelChildren(task: Task): void {
    if (task.state === State.OVER && task.runs) {
      this.#stopped.add(callKey(task.owner.id, task.call));
      if (this.#stopped.size > STOPPED) this.#stopped.delete(this.#stopped.values().next().value!);
    }
    for (const child of task.more?.children ?? [])
      if (!child.spec.detached) void this.cancel(child, `Task ${task.id}, which has submitted it, was stopped`);
  }

  wasStopped({ client, call }: CallId): boolean {
    return this.#stopped.has(callKey(client, call));
  }

  /** Nobody wants it any more: its client has left. */
  drop(task: Task): void {
    if (task.state === State.OUT && task.slot) this.#order(task.slot, task, 'its client has left');
    if (task.state === State.KEPT) task.more?.place?.slot.kept.delete(task);
    task.more?.alarm?.cancel();
    task.more?.deadline?.cancel();
    task.state = State.OVER;
  }

  deadline(task: Task): void {
    const { deadline, label } = task.spec;
    task.extra.deadline = this.#alarms.in(deadline!, () => {
      const { slot, state } = task;
      const name = label === undefined ? `Task ${task.id}` : `Task ${task.id} (${label})`;
      const where = state === State.OUT ? `it was on engine ${slot?.id}` : 'it had not begun';
      const error = new TimeoutError(`${name} was not done within its deadline of ${deadline} ms; ${where}`);
      if (state === State.OUT && slot) this.#order(slot, task, 'its deadline has passed', true);
      this.#over(task, error, Ending.LOST);
      this.#flush(task);
    });
  }

  /** Its engine says that it starts a run, alone or with a timeout; if it can say no more then, it is restarted. */
  begun(slot: Slot, ticket: number): void {
    const task = slot.out.get(ticket);
    if (!task) return;
    if (slot.alone && task.more?.alone) slot.begun = task;
    const { timeout, items } = task.spec;
    if (timeout === undefined || items) return;
    task.extra.alarm = this.#alarms.in(timeout + GRACE, () => {
      if (slot.out.get(ticket) !== task || task.state !== State.OUT) return;
      const reason = `it runs for more than its timeout of ${timeout} ms`;
      task.extra.stopping = reason;
      this.#order(slot, task, reason, true);
    });
  }

  /** `hedge`: when it takes much longer than others, a second copy starts on an idle engine. */
  watch(task: Task): void {
    const { slot, runs } = task;
    const look = (): void => {
      if (task.state !== State.OUT || task.slot !== slot || task.runs !== runs) return;
      const { usual, mean } = task.fn.pace;
      const ran = performance.now() - task.at;
      const other =
        mean !== undefined && ran > Math.max(STRAGGLES * usual, STRAGGLER_MS)
          ? this.#scheduler.idleFor(task, slot!)
          : undefined;
      if (!other) {
        task.extra.alarm = this.#alarms.in(LOOK, look);
        return;
      }
      this.#outcomes.event(task, 'hedged', other);
      this.#scheduler.duplicate(task, other);
    };
    task.extra.alarm = this.#alarms.in(STRAGGLER_MS, look);
  }

  #over(task: Task, error: Error, ending: Ending = Ending.STOPPED): void {
    if (task.state === State.OVER || task.state === State.KEPT) return;
    const { twin } = task.more ?? {};
    if (twin) this.#order(twin, task, error.message);
    this.#outcomes.fail(task, error, ending);
  }

  /** It is to end where it runs; it fails with what it is told then. */
  interrupt(task: Task, reason: string): Stopped | Promise<Stopped> {
    const { slot } = task;
    if (task.state !== State.OUT || !slot) {
      this.#over(task, new InterruptedError(reason), Ending.LOST);
      return 'never-started';
    }
    return this.#stopAt(slot, task, 'interrupt', reason);
  }

  /** In the engine's queue, or wherever it runs. */
  async #stopAt(slot: Slot, task: Task, kind: 'interrupt' | 'cancel', reason: string): Promise<Stopped> {
    const call = { client: task.owner.id, call: task.call };
    const there = this.#host
      .engine(slot.id)
      .ask<'dropped' | 'runs' | 'done'>('stop', { ...call, reason, kind })
      .catch(() => 'done' as const);
    // A loop answers nothing; what stops it goes another way.
    const loop = new Promise<'late'>((resolve) => void this.#alarms.in(PATIENCE, () => resolve('late')));
    let stand = await Promise.race([there, loop]);
    if (stand === 'late') {
      const how = await this.#host.interrupt(slot.id, call, { kind, reason });
      if (how !== 'done' && how !== 'idle') return how;
      // It was only slow to answer: it had not begun then, and may have by now.
      stand = await there;
    }
    if (stand === 'dropped') return 'never-started';
    if (stand === 'done') return 'done';
    return this.#host.interrupt(slot.id, call, { kind, reason });
  }

  /** `must`: whatever it takes. */
  #order(slot: Slot, task: Task, reason: string, must = false): void {
    void this.#stopAt(slot, task, must ? 'interrupt' : 'cancel', reason).then((how) => {
      if (must && how === 'stuck') this.#crew.restart(slot, `task ${task.id} does not stop: ${reason}`);
    });
  }

  #flush(task: Task): void {
    this.#scheduler.dispatch();
    task.owner.flush();
  }
}
