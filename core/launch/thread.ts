/** Engines as worker threads of this process: they start in a fraction of the time and can share memory. */
import { type MessagePort, type TransferListItem, Worker } from 'node:worker_threads';
import type { EngineBoot, EngineExit, EngineHandle, EngineSpec, Launcher } from './launcher.ts';
import { withoutTokens } from './launcher.ts';
import { programUrl } from './programs.ts';

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
  const worker = new Worker(programUrl('engine-thread.mjs'), {
    workerData: { boot: { ...spec, kind: 'thread' } satisfies EngineBoot, port },
    transferList,
    env: { ...withoutTokens(process.env), ...spec.env },
    execArgv: [],
    stdout: true,
    stderr: true,
    name: `tutti engine ${spec.id}`,
  });
  let error: Error | undefined;
  worker.on('error', (e: Error) => {
    error = e;
  });
  const exited = new Promise<EngineExit>((resolve) => {
    worker.once('exit', (exitCode) => resolve({ exitCode, signal: null, ...(error && { error }) }));
  });
  return {
    pid: process.pid,
    exited,
    onOutput(listener) {
      worker.stdout.setEncoding('utf8').on('data', (text: string) => listener('stdout', text));
      worker.stderr.setEncoding('utf8').on('data', (text: string) => listener('stderr', text));
    },
    kill: () => void worker.terminate(),
  };
}
