/**
 * How long this process's event loop is held up. Node's own histogram samples it, in windows of ten seconds: what is read
 * is of the last whole window and what has come since. It costs about a thousandth of a core.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { ControllerStatus } from '../cluster-status.ts';

/** ms between samples; the histogram counts them in. */
const RESOLUTION = 50;
const WINDOW = 10_000;

export class LoopLag {
  #now = watch();
  #before: IntervalHistogram | undefined;
  #turn = setInterval(() => this.#next(), WINDOW).unref();

  /** ms. */
  read(): ControllerStatus['lag'] {
    const of = this.#before && this.#before.max > this.#now.max ? this.#before : this.#now;
    if (!of.count) return { mean: 0, p50: 0, p99: 0, max: 0 };
    return { mean: ms(of.mean), p50: ms(of.percentile(50)), p99: ms(of.percentile(99)), max: ms(of.max) };
  }

  stop(): void {
    clearInterval(this.#turn);
    this.#now.disable();
  }

  #next(): void {
    this.#now.disable();
    this.#before = this.#now;
    this.#now = watch();
  }
}

function watch(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}

function ms(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION);
}
