/** What the farm itself raises. Of tasks whose function threw, results reject with RemoteError, as those of views do. */
import { registerErrorClass, TuttiError } from '../../core/index.ts';

/** A task has ended its engine each time it ran, and does not run again. `engines` are those that it ended. */
export class TaskKillsEnginesError extends TuttiError {
  override readonly code: string = 'TASK_KILLS_ENGINES';
  readonly engines: readonly number[];
  constructor(message: string, engines: readonly number[]) {
    super(message);
    this.engines = engines;
  }
}
/** No engine here will ever meet what a task demands: its `needs`, its `targets`. */
export class UnsatisfiableError extends TuttiError {
  override readonly code: string = 'UNSATISFIABLE';
}
/** The farm takes no tasks any more: it was shut down. */
export class FarmClosedError extends TuttiError {
  override readonly code: string = 'FARM_CLOSED';
}
/** The halt policy of a map has ended it; `cause` is the failure that it met, if it was one. */
export class HaltedError extends TuttiError {
  override readonly code: string = 'HALTED';
}

for (const one of [TaskKillsEnginesError, UnsatisfiableError, FarmClosedError, HaltedError]) registerErrorClass(one);
