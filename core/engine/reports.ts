/** What whoever runs the cluster wants to know of an engine: lines for the controller's log. The engine has no log of its own. */
import { encode } from '../wire/codec.ts';
import { Kind } from '../wire/envelope.ts';
import type { Session } from '../wire/session.ts';

export function reportUncaught(session: Session | undefined, what: string, error: unknown): void {
  const thrown = error instanceof Error ? `${error.name}: ${error.message}` : `a ${typeof error} that is no error`;
  report(session, 'info', `${what} ${thrown}`);
}

export function reportRejoined(session: Session | undefined, reason: string, ms: number): void {
  report(session, 'warn', `it had lost its controller (${reason}) and has joined anew after ${Math.round(ms)} ms`);
}

function report(session: Session | undefined, level: 'info' | 'warn', message: string): void {
  session?.send({ kind: Kind.EVENT, op: 'log' }, [encode({ level, message }, { root: 'log' })]);
}
