/** Signs of life from the dialling side, and an ear for those of the other: a connection can be dead without a word. */
import type { Session } from './session.ts';

export interface PulseOptions {
  /** ms between beats. */
  beat: number;
  /** ms of silence after which the connection is cut, so that the session looks for another one. */
  silence: number;
}

/** Beats until the session ends. Does not keep the process alive. */
export function keepPulse(session: Session, { beat, silence }: PulseOptions): void {
  let due = performance.now() + beat;
  const timer = setInterval(() => {
    if (session.ended) return clearInterval(timer);
    const now = performance.now();
    const slept = now - due > beat / 2;
    due = now + beat;
    if (!session.connected || session.connection?.capabilities.lossless) return;
    session.beat();
    // What arrived while this process slept is still unread; judge at the next beat.
    if (!slept && now - session.lastSeen > silence) session.cut(`silent for ${silence / 1_000} s`);
  }, beat).unref();
}
