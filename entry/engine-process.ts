/** Program of a process engine. fd 3 is its lifeline: the boot record comes first, its end means the launcher is gone. */
import { once } from 'node:events';
import { readSync, writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { Engine } from '../core/engine/engine.ts';
import { TuttiError } from '../core/errors.ts';
import type { EngineBoot } from '../core/launch/launcher.ts';
import { superviseWith } from '../core/supervisor/supervise.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { nats } from '../transports/nats/index.ts';
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
registerTransport(nats());
// Ctrl-C in a terminal reaches the whole process group; what it means is decided where it was typed.
process.on('SIGINT', () => {});
const boot = readBoot();
const program = boot.supervised ? './engine-supervisor.mjs' : './engine-lifeline.mjs';
const supervisor = new Worker(new URL(program, import.meta.url), {
  workerData: { lifeline: { fd: LIFELINE, litter: boot.litter, launcher: process.ppid } },
  execArgv: [],
  // It holds little, and what a young generation may grow to stays resident. A heap with a limit begins smaller.
  resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 },
});
// Without it nothing would end this engine when its launcher is gone.
supervisor.on('error', (error) => {
  writeSync(process.stderr.fd, `The supervisor has failed: ${error.stack}\n`);
  process.exit(1);
});
const supervised = boot.supervised ? superviseWith(supervisor, boot) : undefined;
const engine = new Engine(boot, (code) => process.exit(code), supervised);
try {
  if (supervised) {
    // Of Node's own modules there is compiled code, which V8 takes only as long as its flags are those that Node was built with.
    await Promise.all([once(supervisor, 'message'), encrypted(boot.urls) && import('node:tls')]);
    keepLocals();
  }
  supervisor.unref();
  await engine.join();
} catch (error) {
  // Past the streams, which belong to user code: this is for whoever launched us.
  writeSync(process.stderr.fd, `${error instanceof TuttiError ? error.message : (error as Error).stack}\n`);
  process.exit(NOT_LET_IN);
}

function encrypted(urls: readonly string[]): boolean {
  return urls.some((url) => /^(tls|wss):/.test(url));
}

/**
 * Optimised code forgets variables that it does not need any more; whoever looks into a running function wants to see them. And
 * Node 24 unrolls some loops such that they never look whether they are to stop. Both hold for the whole process.
 */
function keepLocals(): void {
  setFlagsFromString('--no-analyze-environment-liveness');
  const major = Number.parseInt(process.versions.node, 10);
  if (major < 22) return;
  setFlagsFromString('--no-maglev');
  if (major >= 24) setFlagsFromString('--no-turboshaft-loop-unrolling');
}
