/** Who runs the tasks of a job. */
import type { TaskResult, TaskSpec } from '../messages.ts';
import type { Elsewhere } from '../task/fetch.ts';

export interface Runner {
  /** The same for runners that reach what each other's tasks have left. */
  readonly place: unknown;
  /** Tasks that it runs at a time. */
  readonly width: number;
  /** Rejects with what the task threw, when it has had all its attempts. */
  run(spec: TaskSpec, options: { progress(done: number, total: number): void }): Promise<TaskResult>;
  /** Is what was left on this engine still there, as far as is known? */
  holds(engine: number, since: number): boolean;
  /** For `holds`: which start of the engine this is. */
  incarnation(engine: number): number;
  /** A text that stands for the job's functions: the same for the same ones. */
  code(): string;
  /** To read what tasks have left. */
  elsewhere(engine: number): Elsewhere;
  /** Nothing of the job runs or is left any more when it resolves. */
  end(): Promise<void>;
}
