import { MessageChannel } from 'node:worker_threads';
import { TransportError } from '../core/errors.ts';
import type { Connection, Listener, Transport } from '../core/wire/transport.ts';
import { broker } from './thread-broker.ts';
import { portConnection } from './thread-port.ts';

export { brokerPort, joinBroker } from './thread-broker.ts';

/**
 * Connections between threads of one process: `thread:name`. A worker takes part once it has called `joinBroker` with
 * the port that its creator got from `brokerPort`.
 */
export function thread(): Transport {
  return { schemes: ['thread'], listen, dial };
}

async function listen({ href }: URL, accept: (connection: Connection) => void): Promise<Listener> {
  const registered = await broker().listen(href, (port) => {
    port.postMessage('accepted');
    accept(portConnection(port, href));
  });
  if (!registered) {
    throw new TransportError(`Cannot listen on ${href}: somebody in this process does already; choose another name`);
  }
  let open = true;
  return {
    url: href,
    close: async () => {
      if (open) broker().unlisten(href);
      open = false;
    },
  };
}

function dial({ href }: URL, { signal }: { signal?: AbortSignal | undefined }): Promise<Connection> {
  signal?.throwIfAborted();
  const { port1: near, port2: far } = new MessageChannel();
  return new Promise((resolve, reject) => {
    const settle = () => {
      near.off('message', accepted).off('close', nobody);
      signal?.removeEventListener('abort', aborted);
    };
    const accepted = () => {
      settle();
      resolve(portConnection(near, href));
    };
    const nobody = () => {
      settle();
      reject(
        new TransportError(
          `Cannot dial ${href}: nobody listens there in this process (a worker must joinBroker first)`,
        ),
      );
    };
    const aborted = () => {
      settle();
      near.close();
      reject(signal?.reason);
    };
    near.on('message', accepted).on('close', nobody);
    signal?.addEventListener('abort', aborted, { once: true });
    broker().dial(href, far);
  });
}
