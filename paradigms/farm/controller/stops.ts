/** What ends tasks early: cancels, timeouts, deadlines; and the second copies that overtake stragglers. */
import { CancelledError, type ControllerHost, TimeoutError } from '../../../core/index.ts';
import { Ending } from '../messages.ts';
import type { Alarms } from './alarms.ts';
import type { Crew } from './crew.ts';
import { callKey } from './keys.ts';
import type { Outcomes } from './outcomes.ts';
import type { Scheduler } from './scheduler.ts';
import type { Slot } from './slot.ts';
import { State, type Task } from './task.ts';

/** ms that a run has to end once it was told to; then its engine is restarted. */
const GRACE = 1_000;
/** A run is a straggler when it takes so many times as long as the longest of late, and this many ms. */
const STRAGGLES = 2;
const STRAGGLER_MS = 50;
/** ms between looks at a task of which it is not known how long it should take. */
const LOOK = 200;

export type Stopped = 'never-started' | 'signalled' | 'done';

export class Stops {
  #host: ControllerHost;
  #scheduler: Scheduler;
  #outcomes: Outcomes;
  #alarms: Alarms;
  #crew: Crew;

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
      const answer = this.#tellTo(slot, task, reason);
      this.#over(task, new CancelledError(reason));
      return answer;
    }
    this.#over(task, new CancelledError(reason));
    return 'never-started';
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

  /** Its engine says that it starts a run with a timeout; if it can say no more, it is restarted. */
  begun(engine: number, client: number, call: number): void {
    const slot = this.#scheduler.places.slots.get(engine);
    const task = slot?.out.get(callKey(client, call));
    if (!slot || !task) return;
    const { timeout, items } = task.spec;
    if (timeout === undefined || items) return;
    task.extra.alarm = this.#alarms.in(timeout + GRACE, () => {
      if (slot.out.get(callKey(client, call)) !== task || task.state !== State.OUT) return;
      task.extra.stopping = 'timeout';
      this.#crew.restart(slot, `task ${task.id} runs for more than its timeout of ${timeout} ms and does not yield`);
    });
  }

  /** `hedge`: when it takes much longer than others, a second copy starts on an idle engine. */
  watch(task: Task): void {
    const { slot, runs } = task;
    const look = (): void => {
      if (task.state !== State.OUT || task.slot !== slot || task.runs !== runs) return;
      const { longest, mean } = task.fn.pace;
      const ran = performance.now() - task.at;
      const other =
        mean !== undefined && ran > Math.max(STRAGGLES * longest, STRAGGLER_MS)
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

  /** Answers even if the engine does not: its loop may be busy. */
  #tellTo(slot: Slot, task: Task, reason: string): Promise<Stopped> {
    const asked = this.#host
      .engine(slot.id)
      .ask<Stopped>('stop', { client: task.owner.id, call: task.call, reason })
      .catch((): Stopped => 'done');
    const late = new Promise<Stopped>((resolve) => void this.#alarms.in(GRACE, () => resolve('signalled')));
    return Promise.race([asked, late]);
  }

  #order(slot: Slot, task: Task, reason: string, must = false): void {
    const { owner, call } = task;
    slot.tell('cancel', { client: owner.id, call, reason });
    if (!must) return;
    this.#alarms.in(GRACE, () => {
      if (slot.out.get(callKey(owner.id, call)) === task)
        this.#crew.restart(slot, `task ${task.id} does not stop: ${reason}`);
    });
  }

  #flush(task: Task): void {
    this.#scheduler.dispatch();
    task.owner.flush();
  }
}
