/**
 * Are the clients still there? A client that is gone without a word (its machine lost power, its network went) leaves a
 * connection that looks open. So both sides beat, and a silent client's connection is cut: if it only slept, it comes
 * back and resumes; if not, its window passes.
 */
import { type Clock, realClock } from '../deferred/clock.ts';
import type { ClientRecord } from './clients.ts';
import { UNREAD } from './liveness.ts';

/** A connection that looks whole is given longer than a cut one: its client may be computing. */
export const SILENT_WINDOWS = 3;

export interface ClientLivenessOptions {
  beat: number;
  /** ms that a cut-off client may take to come back. */
  window: number;
  clock?: Clock | undefined;
}

export function watchClients(
  clients: ReadonlyMap<number, ClientRecord>,
  { beat, window, clock = realClock }: ClientLivenessOptions,
): { stop(): void } {
  const silence = SILENT_WINDOWS * window;
  let due = clock.now() + beat;
  let timer = clock.callLater(beat, round);

  function round(): void {
    const now = clock.now();
    const slept = now - due > beat / 2;
    due = now + beat;
    timer = clock.callLater(beat, round);
    for (const { session, beats } of clients.values()) {
      const { connection } = session;
      if (!connection || connection.capabilities.lossless) continue;
      if (connection.bufferedAmount < UNREAD) session.beat();
      // What arrived while we slept is still unread; judge at the next round.
      if (beats && !slept && now - session.lastSeen > silence)
        session.cut(`the client was silent for ${silence / 1_000} s`);
    }
  }

  return { stop: () => timer.cancel() };
}
