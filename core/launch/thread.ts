/** Engines as worker threads of this process: they start in a fraction of the time and can share memory. */
import { type MessagePort, type TransferListItem, Worker } from 'node:worker_threads';
import { letGo, tellExit } from '../supervisor/let-go.ts';
import { memoryIn, newMemory } from '../supervisor/memory.ts';
import { superviseWith } from '../supervisor/supervise.ts';
import type { EngineBoot, EngineExit, EngineHandle, EngineSpec, Launcher } from './launcher.ts';
import { withoutTokens } from './launcher.ts';
import { programUrl } from './programs.ts';

/** One for all thread engines of this process. */
let supervisor: Worker | undefined;
/** Of those that it looks after: it does so through the inspector of the whole process. */
const memories = new Set<SharedArrayBuffer>();
let brokerPort: (() => MessagePort) | undefined;

/** The thread transport registers how a new worker reaches its listeners; core does not know the transport itself. */
export function provideBroker(port: () => MessagePort): void {
  brokerPort = port;
}

export function threadLauncher(): Launcher {
  return { kind: 'thread', scheme: 'thread', launch };
}

function launch(spec: EngineSpec): EngineHandle {
  const port = brokerPort?.();
  const transferList: TransferListItem[] = port ? [port] : [];
  const memory = spec.supervised ? newMemory() : undefined;
  const worker = new Worker(programUrl('engine-thread.mjs'), {
    workerData: { boot: { ...spec, kind: 'thread' } satisfies EngineBoot, port, memory },
    transferList,
    env: { ...withoutTokens(process.env), ...spec.env },
    execArgv: [],
    stdout: true,
    stderr: true,
    name: `tutti engine ${spec.id}`,
  });
  if (memory) {
    const supervised = superviseWith(supervisorHere(), spec, memory, worker.threadId);
    worker.postMessage(supervised.port, [supervised.port]);
    memories.add(memory);
  }
  let error: Error | undefined;
  worker.on('error', (e: Error) => {
    error = e;
  });
  const exited = new Promise<EngineExit>((resolve) => {
    worker.once('exit', (exitCode) => {
      if (memory) memories.delete(memory);
      resolve({ exitCode, signal: null, ...(error && { error }) });
    });
  });
  return {
    pid: process.pid,
    exited,
    onOutput(listener) {
      worker.stdout.setEncoding('utf8').on('data', (text: string) => listener('stdout', text));
      worker.stderr.setEncoding('utf8').on('data', (text: string) => listener('stderr', text));
    },
    kill: () => terminate(worker),
  };
}

/** ms until a thread that was told to end is told again. */
const AGAIN = 500;

/** V8 forgets a termination that finds the thread while its inspector does something: the loop that it was in goes on. */
function terminate(worker: Worker): void {
  worker.setMaxListeners(0); // each time has one
  void worker.terminate();
  const again = setInterval(() => void worker.terminate(), AGAIN).unref();
  worker.once('exit', () => clearInterval(again));
}

/** Does not keep the process alive. */
function supervisorHere(): Worker {
  if (supervisor) return supervisor;
  const broker = brokerPort?.();
  const started = new Worker(programUrl('engine-supervisor.mjs'), {
    workerData: { broker },
    transferList: broker ? [broker] : [],
    execArgv: [],
    name: 'tutti supervisor',
  });
  started.unref();
  process.on('exit', letGoOfAll);
  // The next engine gets another one; those that had this one are silent, and so will be given up.
  started.on('error', (error) => process.emitWarning(error));
  started.on('exit', () => {
    process.off('exit', letGoOfAll);
    if (supervisor === started) supervisor = undefined;
  });
  return (supervisor = started);
}

function letGoOfAll(): void {
  for (const memory of memories) tellExit(memoryIn(memory));
  for (const memory of memories) letGo(memoryIn(memory));
}
