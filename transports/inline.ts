import { TransportError } from '../core/errors.ts';
import { type Handover, HandoverLink } from '../core/wire/frame-handover.ts';
import type { Connection, Listener, Transport } from '../core/wire/transport.ts';

const listeners = new Map<string, (connection: Connection) => void>();

/** Connections within one thread: `inline:name`. Owned parts are passed by reference. */
export function inline(): Transport {
  return { schemes: ['inline'], listen, dial };
}

async function listen({ href }: URL, accept: (connection: Connection) => void): Promise<Listener> {
  if (listeners.has(href)) {
    throw new TransportError(`Cannot listen on ${href}: somebody in this thread does already; choose another name`);
  }
  listeners.set(href, accept);
  let open = true;
  return {
    url: href,
    close: async () => {
      if (open) listeners.delete(href);
      open = false;
    },
  };
}

async function dial({ href }: URL, { signal }: { signal?: AbortSignal | undefined }): Promise<Connection> {
  signal?.throwIfAborted();
  // An abort right after the call is still in time.
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
  const accept = listeners.get(href);
  if (!accept) throw new TransportError(`Cannot dial ${href}: nobody in this thread listens there`);
  const [near, far] = pair(href);
  accept(far);
  return near;
}

function pair(href: string): [Connection, Connection] {
  let open = true;
  const half = (prompt: boolean, other: () => HandoverLink) =>
    new HandoverLink(href, prompt, {
      post: (handover) => {
        if (!open) return;
        const copied = { ...handover, messages: handover.messages.map(receivable) };
        queueMicrotask(() => other().arrive(copied));
      },
      close: () => {
        if (!open) return;
        open = false;
        setImmediate(() => {
          near.gone();
          far.gone();
        });
      },
    });
  const near: HandoverLink = half(true, () => far);
  // Were both prompt, who asks again and again would never let the event loop turn.
  const far: HandoverLink = half(false, () => near);
  return [near.connection, far.connection];
}

function receivable({ parts, lane, owned }: Handover['messages'][number]): Handover['messages'][number] {
  return { lane, owned, parts: parts.map((part) => (owned || isShared(part) ? part : new Uint8Array(part))) };
}

function isShared(part: Uint8Array): boolean {
  return part.buffer instanceof SharedArrayBuffer;
}
