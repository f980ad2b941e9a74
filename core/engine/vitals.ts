/** How an engine is, for its heartbeats. Everything here is counted anyway, or free: 128 engines may share a few cores. */
import type { EventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Header } from '../wire/envelope.ts';

/** So many engines of a cluster tell at each beat how they are; where there are more, each does so more rarely, up to a limit. */
const TOGETHER = 32;
const RARELY = 10;

export interface VitalSources {
  /** Calls that wait for their turn. */
  queued(): number;
  /** Bytes of results kept for others. */
  kept(): number;
  peers(): { sent: number; received: number };
}

export class Vitals {
  /** Calls finished. */
  calls = 0;
  /** Bytes of values, when they were last read: also of what is garbage. */
  held = 0;
  #beats = 0;
  #sources: VitalSources;
  #last: number | undefined;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(sources: VitalSources) {
    this.#sources = sources;
  }

  /** At each beat. @param engines of the cluster @returns beats since the last time that they were due; 0: they are not now */
  due(engines: number): number {
    const beats = ++this.#beats;
    if (beats < Math.min(Math.ceil(engines / TOGETHER), RARELY)) return 0;
    this.#beats = 0;
    return beats;
  }

  /** @param interval ms since the last time; what is more has held them up */
  read(interval: number): NonNullable<Header['beat']> {
    const now = performance.now();
    const lag = this.#last === undefined ? 0 : Math.max(0, now - this.#last - interval);
    const loop = performance.eventLoopUtilization();
    const load = performance.eventLoopUtilization(loop, this.#loop).utilization;
    this.#last = now;
    this.#loop = loop;
    const { sent, received } = this.#sources.peers();
    const { used_heap_size, external_memory } = getHeapStatistics();
    this.held = used_heap_size + external_memory;
    return {
      rss: process.memoryUsage.rss(),
      lag,
      load: Number.isFinite(load) ? load : 0,
      queued: this.#sources.queued(),
      calls: this.calls,
      heap: used_heap_size,
      kept: this.#sources.kept(),
      peerSent: sent,
      peerReceived: received,
    };
  }
}
