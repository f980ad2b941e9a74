/** Ranks that share no memory cannot see each other wait: they are asked. */
import type { ClientHost } from '../../core/index.ts';
import { Detector } from './deadlock.ts';
import type { RunSpec } from './run-spec.ts';
import { GONE, type Snapshot } from './shared-memory.ts';

/** ms between looks at whether anything goes on: of few ranks, and for each of many. */
const LOOK = { least: 250, each: 2 };

/** @param settled resolves when they have all ended */
export async function watch(host: ClientHost, { world, engines }: RunSpec, settled: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = settled.then(() => {
    over = true;
  });
  const detector = new Detector();
  // One that is gone is waited for by nobody: whoever did has been told.
  const look = (engine: number): Promise<Snapshot> => host.engine(engine).ask('snapshot', world);
  const looks = (): Promise<Snapshot[]> =>
    Promise.all(
      engines.map(async (id) => {
        try {
          return await look(id);
        } catch {
          return GONE;
        }
      }),
    );
  while (!over) {
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(LOOK.least, LOOK.each * engines.length));
    });
    await Promise.race([later, ended]);
    clearTimeout(timer);
    if (over) return;
    const waits = detector.look(await Promise.race([looks(), ended.then(() => [])]));
    if (!waits || over) continue;
    for (const id of host.client.engines.map((engine) => engine.id))
      if (engines.includes(id)) host.engine(id).tell('condemn', { world, waits });
  }
}
