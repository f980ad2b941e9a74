/** The half on the controller: where all tuples are. */
import { type Caller, type ControllerHalf, type ControllerHost, UsageError } from '../../core/index.ts';
import { Deadlines } from './deadlines.ts';
import { LeaseExpiredError } from './errors.ts';
import type { TemplateForm } from './forms.ts';
import { SpaceJournal } from './journal.ts';
import { type Batch, EVENT_KINDS, type EventKind } from './protocol.ts';
import { Session } from './session.ts';
import { Spaces } from './spaces.ts';
import { Matcher } from './store/matcher.ts';

interface WatchRequest {
  readonly space: number;
  readonly template: TemplateForm | null;
  readonly exact: boolean;
  readonly kinds: readonly EventKind[];
  readonly lease?: number;
}

export async function makeController(host: ControllerHost): Promise<ControllerHalf> {
  const deadlines = new Deadlines(host.clock);
  const journal = await SpaceJournal.open(await host.store(), host.clock, host.log);
  const spaces = new Spaces(host, deadlines, journal);
  const sessions = new Map<string, Session>();
  const sessionOf = ({ role, id }: Caller): Session => {
    const session = sessions.get(`${role} ${id}`);
    if (!session) throw new UsageError("Say 'attach' first, and wait for its answer as long as you use spaces");
    return session;
  };
  return {
    /** Answered never: it lasts as long as the asker does. */
    attach(_, caller) {
      const key = `${caller.role} ${caller.id}`;
      sessions.get(key)?.end();
      const session = new Session(
        caller.role === 'engine' ? host.engine(caller.id) : host.client(caller.id),
        spaces,
        deadlines,
      );
      sessions.set(key, session);
      return new Promise<never>((_resolve, reject) => {
        const gone = (): void => {
          session.end();
          if (sessions.get(key) === session) sessions.delete(key);
          reject(caller.signal.reason);
        };
        if (caller.signal.aborted) gone();
        else caller.signal.addEventListener('abort', gone, { once: true });
      });
    },

    requests: (batch: Batch, caller) => sessionOf(caller).receive(batch),

    watch: ({ space: handle, template, exact, kinds, lease }: WatchRequest, caller) =>
      new Promise((resolve) => {
        for (const kind of kinds)
          if (!EVENT_KINDS.includes(kind))
            throw new UsageError(`Events are ${EVENT_KINDS.join(', ')}; got ${String(kind)}`);
        const matcher = template ? new Matcher(template, exact) : undefined;
        sessionOf(caller).with(handle, ({ name, watches }) => {
          const { events, end } = watches.open(matcher, kinds, caller.signal);
          const late = `The lease of a watch of space '${name}' has expired after ${lease} ms`;
          if (lease !== undefined) deadlines.after(lease, () => end(new LeaseExpiredError(late)));
          resolve(events);
        });
      }),

    async [Symbol.asyncDispose]() {
      deadlines.stop();
      for (const session of sessions.values()) session.end();
      await journal.settled().catch(() => {}); // whoever waits for it has been told
    },
  };
}
