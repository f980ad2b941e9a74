/**
 * Program of the supervisor: a small thread beside a process engine, or one for all thread engines of a process. Beside a
 * process engine it also ends it when its launcher is gone.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { WardBoot } from '../core/supervisor/messages.ts';
import { Ward } from '../core/supervisor/ward.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { socket } from '../transports/socket.ts';
import { type Lifeline, watchLifeline } from './lifeline.ts';

const { lifeline, broker } = workerData as { lifeline?: Lifeline; broker?: MessagePort };
if (lifeline) watchLifeline(lifeline);
registerTransport(socket());
// Engines that it looks after are not left alone because of an error that concerns one of them; it is told all the same.
process.on('unhandledRejection', (error) => process.emitWarning(error instanceof Error ? error : String(error)));

/** What not every supervisor needs, and what takes memory: by the schemes of its controller's addresses. */
const others: Record<string, () => Promise<unknown>> = {
  tls: () =>
    Promise.all([import('../transports/tls.ts'), import('node:tls')]).then(([{ tls }]) => registerTransport(tls())),
  nats: () => import('../transports/nats/index.ts').then(({ nats }) => registerTransport(nats())),
  ws: () => import('../transports/ws.ts').then(({ ws }) => registerTransport(ws())),
  thread: () =>
    import('../transports/thread.ts').then(({ joinBroker, thread }) => {
      registerTransport(thread());
      if (broker) joinBroker(broker);
    }),
};
const loading = new Map<string, Promise<unknown>>();

async function loadFor(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const scheme = url.split(':')[0]!.replace('wss', 'ws');
    const load = others[scheme];
    if (load && !loading.has(scheme)) loading.set(scheme, load());
    await loading.get(scheme);
  }
}

parentPort!.on('message', async ({ boot, port }: { boot: WardBoot; port: MessagePort }) => {
  await loadFor(boot.urls);
  new Ward(boot, port);
  parentPort!.postMessage('ready');
});
