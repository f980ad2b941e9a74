/**
 * Who is still there? An engine that is cut off for `misses` beats is lost. One that is silent for as long is frozen, and lost
 * after ten times that. Its supervisor beats while user code has its event loop: then it is busy, for however long. Without a
 * supervisor an engine that is silent with work is taken to be busy. A round in which the controller itself slept does not
 * count: nobody is declared lost because the observer was away. Engines on other machines hear as much of us, and look for
 * another connection when they do not.
 */
import { type Clock, realClock } from '../deferred/clock.ts';
import type { Session } from '../wire/session.ts';
import type { EngineRecord, Registry } from './registry.ts';

export interface LivenessOptions {
  /** ms between beats. Default 1,000. */
  beat?: number;
  /** Beats missed before a cut-off engine counts as lost, and a silent one as frozen. Default 3. */
  misses?: number;
  /** ms that user code may have the event loop before the engine counts as busy. Default: one beat. */
  busyAfter?: number | undefined;
  /** ms of silence before a frozen engine counts as lost. Default: 10 times `misses` beats. */
  lostAfter?: number | undefined;
  clock?: Clock;
  /** Told at each round, by how many ms it was late. */
  late?(ms: number): void;
}

/** A connected but silent process is given longer than a cut connection: it may only be stopped, and then come back. */
const FROZEN_FACTOR = 10;
/** Engines hear of us at every so many beats: they are many, and look for another connection after thirty. */
const BEATS_TOLD = 10;
/** More than this unread, and the connection is being tried already. Bytes. */
export const UNREAD = 64 << 10;

export function watchEngines(registry: Registry, options: LivenessOptions = {}): { stop(): void } {
  const { beat = 1_000, misses = 3, clock = realClock, late } = options;
  const { busyAfter = beat, lostAfter = FROZEN_FACTOR * misses * beat } = options;
  const silent = new Map<EngineRecord, number>();
  let rounds = 0;
  let due = clock.now() + beat;
  let timer = clock.callLater(beat, round);

  function round(): void {
    const now = clock.now();
    late?.(now - due);
    const slept = now - due > beat / 2;
    due = now + beat;
    timer = clock.callLater(beat, round);
    if (++rounds % BEATS_TOLD === 0) {
      for (const { session, control } of registry.engines.values()) {
        tellLife(session);
        tellLife(control.session);
      }
    }
    // What arrived while we slept is still unread; judge at the next round.
    if (slept) return;
    for (const record of registry.engines.values()) judge(record, now);
  }

  function judge(record: EngineRecord, now: number): void {
    const { session, info, control } = record;
    if (!session || info.state === 'lost') {
      silent.delete(record);
      return;
    }
    // While there is no supervisor, or not yet, the engine itself is listened to.
    const supervised = control.session !== undefined;
    const quiet = now - (control.session ?? session).lastSeen > beat * 1.5;
    const rounds = quiet || !session.connected ? (silent.get(record) ?? 0) + 1 : 0;
    silent.set(record, rounds);
    if (!session.connected) {
      if (rounds >= misses)
        registry.lost(record, `disconnected, and not back after ${misses} heartbeats of ${beat} ms`);
    } else if (rounds === 0) registry.state(record, supervised && control.lag >= busyAfter ? 'busy' : 'alive');
    else if (record.running.size && !supervised) registry.state(record, 'busy');
    else if (rounds * beat >= lostAfter) registry.lost(record, `silent for ${rounds} heartbeats of ${beat} ms`);
    else if (rounds >= misses) registry.state(record, 'frozen');
  }

  return { stop: () => timer.cancel() };
}

/** On another machine it would not learn otherwise that what we send does not arrive any more. */
function tellLife(session: Session | undefined): void {
  const { connection } = session ?? {};
  if (connection?.capabilities.crossHost && connection.bufferedAmount < UNREAD) session!.beat();
}
