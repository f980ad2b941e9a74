/** Puts an engine into the care of a supervisor. */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import type { EngineSpec } from '../launch/launcher.ts';
import { newMemory } from './memory.ts';
import { certificatesOf, type WardBoot } from './messages.ts';

/** What the engine gets of it. `thread`: of an engine that is a worker. */
export function superviseWith(
  supervisor: Worker,
  given: Pick<EngineSpec, 'urls' | 'ca' | 'cert' | 'key'>,
  memory = newMemory(),
  thread?: number,
): { port: MessagePort; memory: SharedArrayBuffer } {
  const { port1, port2 } = new MessageChannel();
  const boot: WardBoot = {
    urls: given.urls,
    memory,
    tls: certificatesOf(given),
    ...(thread !== undefined && { thread }),
  };
  supervisor.postMessage({ boot, port: port1 }, [port1]);
  return { port: port2, memory };
}
