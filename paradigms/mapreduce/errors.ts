/** What MapReduce itself raises. What a job's functions throw is the cause of a MapReduceError that says where. */
import { registerErrorClass, TuttiError } from '../../core/index.ts';

/** A job cannot go on; the message says at which step, task and record, `cause` is what was thrown there. */
export class MapReduceError extends TuttiError {
  override readonly code: string = 'MAPREDUCE';
}
/** A temporary file cannot be written or read: the disk is full, e.g. */
export class SpillError extends MapReduceError {
  override readonly code: string = 'MAPREDUCE_SPILL';
}

for (const one of [MapReduceError, SpillError]) registerErrorClass(one);
