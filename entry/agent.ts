/**
 * Program of an agent: starts engines on this machine for a launcher on another one, at the other end of the standard streams.
 * Where these end, or (with orders from the environment) its one engine, it ends, and leaves nothing behind.
 */
import { existsSync, rmSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import {
  type AgentOrders,
  type FromAgent,
  MARK,
  ORDERS,
  SILENCE,
  type ToAgent,
} from '../core/launch/agent-messages.ts';
import type { EngineBoot, EngineHandle } from '../core/launch/launcher.ts';
import { Lines } from '../core/launch/lines.ts';
import { processLauncher } from '../core/launch/process.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @param folder where this program lies, which is removed in the end */
export function serve(folder: string): void {
  const orders = process.env[ORDERS];
  if (orders === undefined) serveStreams(folder);
  else serveOne(folder, JSON.parse(orders), Number(process.env.SLURM_ARRAY_TASK_ID ?? 0));
}

function serveStreams(folder: string): void {
  const engines = new Map<number, EngineHandle>();
  let heard = performance.now();
  const say = (message: FromAgent): void => void process.stdout.write(`${MARK}${JSON.stringify(message)}\n`);
  const end = (): void => finish(folder, [...engines.values()]);
  const lines = new Lines();
  process.stdin.on('data', (chunk: Buffer) => {
    heard = performance.now();
    for (const line of lines.push(chunk)) obey(JSON.parse(line) as ToAgent);
  });
  process.stdin.on('end', end).on('error', end).resume();
  process.stdout.on('error', end);
  for (const signal of SIGNALS) process.on(signal, end);
  setInterval(() => {
    if (!engines.size && performance.now() - heard > SILENCE) end();
  }, SILENCE / 4);
  say({ type: 'here', host: hostname(), clock: Date.now() });

  function obey(message: ToAgent): void {
    if (message.type === 'kill') engines.get(message.engine)?.kill();
    else if (message.type === 'launch') start(message.engine, message.boot);
  }

  function start(engine: number, boot: EngineBoot): void {
    const handle = launch(folder, boot, (text) => say({ type: 'warning', text }));
    engines.set(engine, handle);
    say({ type: 'launched', engine, pid: handle.pid });
    handle.onOutput((stream, text) => say({ type: 'output', engine, stream, text }));
    void handle.exited.then(({ error, ...exit }) => {
      engines.delete(engine);
      say({ type: 'exited', engine, exit, ...(error && { error: error.message }) });
    });
  }
}

function serveOne(folder: string, { common, engines }: AgentOrders, index: number): void {
  delete process.env[ORDERS]; // it holds the engines' keys
  const [id, token] = engines[index]!;
  const handle = launch(folder, { ...common, id, token } as EngineBoot, (text) => process.stderr.write(`${text}\n`));
  handle.onOutput((stream, text) => process[stream].write(text));
  for (const signal of SIGNALS) process.on(signal, () => finish(folder, [handle]));
  void handle.exited.then(({ exitCode, error }) => {
    if (error) process.stderr.write(`${error.message}\n`);
    finish(folder, [], exitCode ?? 1);
  });
}

function launch(folder: string, boot: EngineBoot, warn: (text: string) => void): EngineHandle {
  const cwd = existsSync(boot.cwd) ? boot.cwd : homedir();
  if (cwd !== boot.cwd) warn(`There is no folder ${boot.cwd} here; engines work in ${cwd}`);
  return processLauncher({ kind: boot.kind }).launch({ ...boot, cwd, litter: [folder] });
}

let finishing = false;

function finish(folder: string, engines: readonly EngineHandle[], code = 0): void {
  if (finishing) return;
  finishing = true;
  for (const engine of engines) engine.kill();
  void Promise.all(engines.map(({ exited }) => exited)).then(() => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
}
