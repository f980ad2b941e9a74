/** The engines as a client knows them: told whole at joining, and what has changed from then on. */
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';

/** A new list, in the order of ids; the same list when no event is about an engine. */
export function changedEngines(engines: readonly EngineInfo[], events: readonly ClusterEvent[]): readonly EngineInfo[] {
  let byId: Map<number, EngineInfo> | undefined;
  for (const event of events) {
    if (event.type === 'output' || !('engine' in event)) continue;
    byId ??= new Map(engines.map((engine) => [engine.id, engine]));
    if (event.type === 'engine-removed') byId.delete(event.engine.id);
    else byId.set(event.engine.id, event.engine);
  }
  return byId ? [...byId.values()].sort((a, b) => a.id - b.id) : engines;
}
