/** The tasks of one stage, as the driver knows them. */
import type { Input, Places, TaskDone } from '../messages.ts';
import type { PhaseProgress } from '../types.ts';

export interface TaskRun {
  readonly id: number;
  /** Of the first stage: what it reads. */
  readonly input: Extract<Input, { kind: 'split' }> | KeptInput | undefined;
  /** Bytes that it reads, as far as is known. */
  bytes: number;
  /** Of these, those that it has read. */
  read: number;
  /** How it ended, if what it has left is still there. */
  done: (TaskDone & { readonly incarnation: number }) | undefined;
  running: Promise<void> | undefined;
}

/** A part of another job's results, wherever it is by now. */
export interface KeptInput {
  readonly kind: 'kept part';
  readonly input: number;
  /** Where it is; made again if it has gone. */
  locate(): Promise<Extract<Input, { kind: 'kept' }>>;
  /** It has gone from where it was said to be. */
  lost(): Promise<void>;
}

export class StageRun {
  readonly index: number;
  readonly step: number;
  readonly phase: 'map' | 'reduce';
  readonly tasks: TaskRun[] = [];
  /** Keys at which its output is cut: of a range partition. */
  cuts: readonly unknown[] | undefined;

  constructor(index: number, { phase, step }: { phase: 'map' | 'reduce'; step: number }) {
    this.index = index;
    this.phase = phase;
    this.step = step;
  }

  add(input: TaskRun['input'], bytes: number): TaskRun {
    const task = { id: this.tasks.length, input, bytes, read: 0, done: undefined, running: undefined };
    this.tasks.push(task);
    return task;
  }

  /** Where its tasks have left their output; all of them are done. */
  places(): Places {
    const places = new Map<number, number[]>();
    for (const { id, done } of this.tasks) {
      const { engine } = done!;
      const list = places.get(engine);
      if (list) list.push(id);
      else places.set(engine, [id]);
    }
    return [...places];
  }

  progress(): PhaseProgress {
    const { step, phase, tasks } = this;
    return {
      ...{ step, phase, tasks: tasks.length },
      done: tasks.filter(({ done }) => done).length,
      bytes: tasks.reduce((sum, { done, read, bytes }) => sum + (done ? bytes : read), 0),
      totalBytes: tasks.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }
}
