/** How late event loops were, and how long queues, at each heartbeat since the start: what happens between two looks at a gauge. */
import { Histogram } from '../histogram.ts';

/** Seconds. */
const LAGS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Calls. */
const DEPTHS = [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 10_000, 100_000];

export class Samples {
  readonly controllerLag = new Histogram(LAGS);
  readonly engineLag = new Histogram(LAGS);
  readonly queued = new Histogram(DEPTHS);

  /** @param late ms that a timer of the controller was */
  controller(late: number): void {
    this.controllerLag.add(Math.max(0, late) / 1e3);
  }

  /** Of an engine's heartbeat: whatever it says. */
  engine({ lag, queued }: { lag?: number | null; queued?: number | null }): void {
    if (lag! >= 0 && lag! < Number.POSITIVE_INFINITY) this.engineLag.add(lag! / 1e3);
    if (queued! >= 0) this.queued.add(queued!);
  }
}
