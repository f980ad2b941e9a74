/**
 * Who is still there? An engine that is cut off, or silent without work, for `misses` beats is lost. A round in which
 * the controller itself slept does not count: nobody is declared lost because the observer was away.
 */
import { type Clock, realClock } from '../deferred/clock.ts';
import type { EngineRecord, Registry } from './registry.ts';

export interface LivenessOptions {
  /** ms between beats. Default 1,000. */
  beat?: number;
  /** Beats missed by a cut-off engine before it counts as lost. Default 3. */
  misses?: number;
  clock?: Clock;
  /** Told at each round, by how many ms it was late. */
  late?(ms: number): void;
}

/** A connected but silent process is given longer than a cut connection: it may only be stopped, and then come back. */
const FROZEN_FACTOR = 10;

export function watchEngines(registry: Registry, options: LivenessOptions = {}): { stop(): void } {
  const { beat = 1_000, misses = 3, clock = realClock, late } = options;
  const silent = new Map<EngineRecord, number>();
  let due = clock.now() + beat;
  let timer = clock.callLater(beat, round);

  function round(): void {
    const now = clock.now();
    late?.(now - due);
    const slept = now - due > beat / 2;
    due = now + beat;
    timer = clock.callLater(beat, round);
    // What arrived while we slept is still unread; judge at the next round.
    if (slept) return;
    for (const record of registry.engines.values()) judge(record, now);
  }

  function judge(record: EngineRecord, now: number): void {
    const { session, info } = record;
    if (!session || info.state === 'lost') {
      silent.delete(record);
      return;
    }
    const quiet = now - session.lastSeen > beat * 1.5;
    const rounds = quiet || !session.connected ? (silent.get(record) ?? 0) + 1 : 0;
    silent.set(record, rounds);
    if (!session.connected) {
      if (rounds >= misses)
        registry.lost(record, `disconnected, and not back after ${misses} heartbeats of ${beat} ms`);
    } else if (rounds === 0) registry.state(record, 'alive');
    else if (record.running.size) registry.state(record, 'busy');
    else if (rounds >= misses * FROZEN_FACTOR) registry.lost(record, `silent for ${rounds} heartbeats of ${beat} ms`);
    else if (rounds >= misses) registry.state(record, 'frozen');
  }

  return { stop: () => timer.cancel() };
}
