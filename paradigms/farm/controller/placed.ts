/** Arguments on their way to an engine: where the pending results in them are by now. */
import type { CallId, Parcel } from '../../../core/index.ts';
import { State, type Task } from './task.ts';

/** Its arguments, with the values that stand in them, or their places. */
export function placed(task: Task): Parcel | undefined {
  const { source, more } = task;
  if (source instanceof Uint8Array) return undefined;
  const beforeOf = ({ client, call }: CallId): Task | undefined => {
    const { dependencies, predecessors } = more!;
    const index = dependencies.findIndex((one) => one.client === client && one.call === call && one.as === 'value');
    const before = predecessors[index];
    return before && 'runs' in before ? before : undefined;
  };
  const placeOf = (before: Task | undefined) => {
    if (!before || before.more?.value) return undefined;
    const place =
      before.more?.place ??
      (before.state === State.OUT && before.slot
        ? { slot: before.slot, incarnation: before.slot.incarnation }
        : undefined);
    if (!place?.slot.alive) return undefined;
    return { engine: place.slot.id, incarnation: place.incarnation, settled: true };
  };
  return source.placed((need) => placeOf(beforeOf(need))).filled((need) => beforeOf(need)?.more?.value);
}
