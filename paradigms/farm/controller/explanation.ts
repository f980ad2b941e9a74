/** Why a task is where it is. */
import { UsageError } from '../../../core/index.ts';
import type { Explanation } from '../messages.ts';
import type { Owner } from './owner.ts';
import type { Places } from './places.ts';
import { State } from './task.ts';

/** @throws UsageError when there is no such task, or it is over and its client knows. */
export function explain(owners: ReadonlyMap<number, Owner>, places: Places, id: string, client: number): Explanation {
  const [owner, call] = id.includes('.') ? id.split('.').map(Number) : [client, Number(id)];
  const task = owners.get(owner!)?.tasks.get(call!);
  const past = owners.get(owner!)?.past.get(call!);
  if (!task && !past) throw new UsageError(`There is no task ${id} (any more): it is over, or was never submitted`);
  if (!task) return { id, state: past!.more?.root ? 'failed' : 'done', why: 'it is over', attempt: past!.runs };
  const { spec, runs, more, slot } = task;
  const about = { id: task.id, attempt: runs, ...(spec.label !== undefined && { label: spec.label }) };
  switch (task.state) {
    case State.WAITING: {
      const waitsFor = more!.dependencies
        .filter((_, i) => {
          const before = more!.predecessors[i]!;
          return 'settled' in before ? !before.settled : !before.more?.place && before.state !== State.OVER;
        })
        .map((one) => `${one.client}.${one.call}`);
      return { ...about, state: 'waiting', why: `it depends on ${waitsFor.join(', ')}`, waitsFor };
    }
    case State.DELAYED:
      return { ...about, state: 'delayed', why: `attempt ${runs} has failed; the next one waits for its backoff` };
    case State.OUT: {
      const why =
        slot!.out.size > 1
          ? `it is on engine ${slot!.id}, with ${slot!.out.size - 1} others`
          : `it runs on engine ${slot!.id}`;
      return { ...about, state: 'running', why, engine: slot!.id };
    }
    case State.READY: {
      let ahead = 0;
      for (const other of task.owner.tasks.values())
        if (
          other.state === State.READY &&
          (other.priority > task.priority || (other.priority === task.priority && other.call < task.call))
        )
          ahead++;
      return { ...about, state: 'queued', ...places.explain(task), ahead };
    }
    default:
      return { ...about, state: 'done', why: 'its value is on an engine' };
  }
}
