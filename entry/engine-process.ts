/** Program of a process engine. fd 3 is its lifeline: the boot record comes first, its end means the launcher is gone. */
import { readSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Engine } from '../core/engine/engine.ts';
import { TuttiError } from '../core/errors.ts';
import type { EngineBoot } from '../core/launch/launcher.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { socket } from '../transports/socket.ts';
import { tls } from '../transports/tls.ts';
import { ws } from '../transports/ws.ts';

const LIFELINE = 3;
/** Exit code of an engine that no controller took. */
const NOT_LET_IN = 3;

function readBoot(): EngineBoot {
  const chunks: Buffer[] = [];
  for (const byte = Buffer.alloc(1 << 16); ; ) {
    const read = readSync(LIFELINE, byte);
    chunks.push(Buffer.from(byte.subarray(0, read)));
    if (!read || byte[read - 1] === 10) return JSON.parse(Buffer.concat(chunks).toString());
  }
}

registerTransport(socket());
registerTransport(tls());
registerTransport(ws());
// Ctrl-C in a terminal reaches the whole process group; what it means is decided where it was typed.
process.on('SIGINT', () => {});
const boot = readBoot();
// A thread of its own watches the lifeline, so that user code in a loop cannot outlive its launcher.
new Worker(new URL('./engine-lifeline.mjs', import.meta.url), {
  workerData: { fd: LIFELINE, litter: boot.litter, launcher: process.ppid },
}).unref();
try {
  await new Engine(boot, (code) => process.exit(code)).join();
} catch (error) {
  // Past the streams, which belong to user code: this is for whoever launched us.
  writeSync(process.stderr.fd, `${error instanceof TuttiError ? error.message : (error as Error).stack}\n`);
  process.exit(NOT_LET_IN);
}
