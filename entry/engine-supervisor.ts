/**
 * Program of the supervisor: a small thread beside a process engine, or one for all thread engines of a process. Beside a
 * process engine it also ends it when its launcher is gone.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { WardBoot } from '../core/supervisor/messages.ts';
import { Ward } from '../core/supervisor/ward.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { socket } from '../transports/socket.ts';
import { joinBroker, thread } from '../transports/thread.ts';
import { tls } from '../transports/tls.ts';
import { ws } from '../transports/ws.ts';
import { type Lifeline, watchLifeline } from './lifeline.ts';

const { lifeline, broker } = workerData as { lifeline?: Lifeline; broker?: MessagePort };
if (lifeline) watchLifeline(lifeline);
registerTransport(socket());
registerTransport(tls());
registerTransport(ws());
registerTransport(thread());
if (broker) joinBroker(broker);
parentPort!.on('message', ({ boot, port }: { boot: WardBoot; port: MessagePort }) => void new Ward(boot, port));
