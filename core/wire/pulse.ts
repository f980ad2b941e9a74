/** Signs of life from the dialling side, and an ear for those of the other: a connection can be dead without a word. */
import type { Session } from './session.ts';

export interface PulseOptions {
  /** ms between beats. */
  beat: number;
  /** ms of silence after which the connection is cut, so that the session looks for another one. */
  silence: number;
}

/** Beats until the session ends. Does not keep the process alive. */
export function keepPulse(session: Session, options: PulseOptions): void {
  const listen = ear(session, options);
  const timer = setInterval(() => {
    if (session.ended) return clearInterval(timer);
    if (!session.connected || session.connection?.capabilities.lossless) return;
    session.beat();
    listen();
  }, options.beat).unref();
}

/** To be called at each beat of one's own: cuts the connection of a peer that has not been heard for so long. */
export function ear(session: Session, { beat, silence }: PulseOptions): () => void {
  let due = performance.now() + beat;
  return () => {
    const now = performance.now();
    const slept = now - due > beat / 2;
    due = now + beat;
    // What arrived while this process slept is still unread; judge at the next beat.
    if (!slept && session.connected && now - session.lastSeen > silence) session.cut(`silent for ${silence / 1_000} s`);
  };
}

/** Beats of its controller that an engine does without. */
const UNHEARD = 30;

/** The same for an engine, or its supervisor. Within a machine a connection ends with its other end, and nobody beats. */
export function earForController(session: Session, beat: number): () => void {
  const listen = ear(session, { beat, silence: UNHEARD * beat });
  return () => session.connection?.capabilities.crossHost && listen();
}
