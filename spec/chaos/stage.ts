/** A cluster to be mistreated: engines as processes, as a thread, and behind a proxy; clients over unix, tcp, and a proxy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, openClient } from '../../core/client/client.ts';
import { isRunning } from '../../core/connection-file.ts';
import { type Host, startHost } from '../../core/controller/host.ts';
import type { EngineHandle, Launcher } from '../../core/launch/launcher.ts';
import { processLauncher } from '../../core/launch/process.ts';
import { threadLauncher } from '../../core/launch/thread.ts';
import '../../main.ts';
import { type CuttableProxy, cuttableProxy } from '../tests/cuttable-proxy.ts';

export const BEAT = 100;

export interface Stage {
  readonly host: Host;
  /** Where engines write down what they ran. */
  readonly file: string;
  readonly handles: ReadonlyMap<number, EngineHandle>;
  readonly launchers: readonly Launcher[];
  readonly engineProxy: CuttableProxy;
  readonly clientProxy: CuttableProxy;
  /** A new client over the way of this number. */
  client(way: number): Promise<Client>;
  /** Ends all of it; resolves with what is left behind. */
  close(): Promise<string[]>;
}

export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-chaos-'));
  const handles = new Map<number, EngineHandle>();
  const pids = new Set<number>();
  const host = await startHost({ listen: ['tcp://127.0.0.1:0', `unix:${path.join(folder, 'c.sock')}`], beat: BEAT });
  const [tcp, unix] = host.outside.urls as [string, string];
  const engineProxy = await cuttableProxy(() => tcp);
  const clientProxy = await cuttableProxy(() => tcp);
  const watched = (inner: Launcher, urls?: string[]): Launcher => ({
    ...inner,
    launch(spec) {
      const handle = inner.launch({ ...spec, ...(urls && { urls }) });
      handles.set(spec.id, handle);
      if (inner.kind === 'process') pids.add(handle.pid);
      return handle;
    },
  });
  const behind: Launcher = { ...processLauncher(), scheme: 'tcp' };
  const launchers = [watched(processLauncher()), watched(threadLauncher()), watched(behind, [engineProxy.url])];
  for (const launcher of launchers) await host.fleet.add(1, launcher);
  const ways = [unix, tcp, clientProxy.url];
  return {
    host,
    file: path.join(folder, 'runs'),
    handles,
    launchers,
    engineProxy,
    clientProxy,
    client: (way) => openClient({ ...host.outside, urls: [ways[way % ways.length]!] }, { output: 'ignore' }),
    async close() {
      await host.stop();
      await engineProxy.close();
      await clientProxy.close();
      rmSync(folder, { recursive: true, force: true });
      return [...pids].filter(isRunning).map((pid) => `process ${pid}`);
    },
  };
}
