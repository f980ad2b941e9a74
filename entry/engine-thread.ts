/** Program of a thread engine: a worker of the process that launched it, and gone with it. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Engine } from '../core/engine/engine.ts';
import { TuttiError } from '../core/errors.ts';
import type { EngineBoot } from '../core/launch/launcher.ts';
import { registerTransport } from '../core/wire/transport.ts';
import { socket } from '../transports/socket.ts';
import { joinBroker, thread } from '../transports/thread.ts';
import { tls } from '../transports/tls.ts';

/** Exit code of an engine that no controller took. */
const NOT_LET_IN = 3;

interface Start {
  boot: EngineBoot;
  port?: MessagePort;
  memory?: SharedArrayBuffer;
}

const { boot, port, memory } = workerData as Start;
delete workerData.boot; // it holds this engine's key
// Process engines are started with --disable-warning; threads share their process's flags.
const { emitWarning } = process;
process.emitWarning = ((warning: string | Error, ...rest: [never]) => {
  if (rest[0] !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
}) as typeof emitWarning;
registerTransport(socket());
registerTransport(thread());
registerTransport(tls());
if (port) joinBroker(port);
// The supervisor has to know this thread's number first.
const supervisor = memory && ((await new Promise((resolve) => parentPort!.once('message', resolve))) as MessagePort);
const supervised = supervisor && { port: supervisor, memory };
// Before user code has the streams.
const print = process.stderr.write.bind(process.stderr);
try {
  await new Engine(boot, (code) => process.exit(code), supervised).join();
} catch (error) {
  print(`${error instanceof TuttiError ? error.message : (error as Error).stack}\n`, () => process.exit(NOT_LET_IN));
}
