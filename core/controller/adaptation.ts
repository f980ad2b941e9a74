/** A fleet that follows its work: asked at every beat, changed when there is reason to. */
import { realClock } from '../deferred/clock.ts';
import type { Launcher } from '../launch/launcher.ts';
import { type AdaptiveOptions, Adviser } from './adaptive.ts';
import type { Controller } from './controller.ts';
import type { Fleet } from './fleet.ts';
import type { EngineRecord } from './registry.ts';

/** ms that an engine may take for what it has when the cluster wants fewer. */
const DRAIN = 60_000;

interface Home {
  readonly controller: Controller;
  readonly fleet: Fleet;
  readonly launcher: Launcher;
  /** ms. */
  readonly beat: number;
}

/** One change at a time. */
export function adaptFleet(options: AdaptiveOptions, { controller, fleet, launcher, beat }: Home): { stop(): void } {
  const { registry, demands, log } = controller;
  const adviser = new Adviser(options);
  let changing = false;
  let timer = realClock.callLater(beat, round);

  function round(): void {
    timer = realClock.callLater(beat, round);
    if (!fleet.begun) return; // it is not known yet how many there are to be
    const wishes = [...demands.values()].map((read) => read());
    const there = staying();
    const n = adviser.advise(wishes, there.length, realClock.now());
    if (changing || n === there.length) return;
    changing = true;
    log.info(`The cluster adapts to its work: ${n} engines instead of ${there.length}`);
    change(n, there)
      .catch((error) => log.warn('The cluster could not adapt to its work', { error }))
      .finally(() => {
        changing = false;
      });
  }

  /** Those that were started here, or are starting, and are to stay. */
  function staying(): EngineRecord[] {
    const engines = [...registry.engines.values()].filter(({ draining, external }) => !draining && !external);
    return engines.filter(({ joined, info }) => !joined || info.state !== 'lost');
  }

  async function change(n: number, there: EngineRecord[]): Promise<void> {
    if (n > there.length) return void (await fleet.add(n - there.length, launcher, 0));
    // Those that have least to do, and of these the newest.
    const order = there.sort((a, b) => a.running.size - b.running.size || b.id - a.id);
    await fleet.remove(
      order.slice(0, there.length - n).map(({ id }) => id),
      DRAIN,
    );
  }

  return { stop: () => timer.cancel() };
}
