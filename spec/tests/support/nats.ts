/** Real NATS servers for tests, each with a folder of its own and on free ports of the loopback address. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { EngineHandle, Launcher } from '../../../core/launch/launcher.ts';
import { processLauncher } from '../../../core/launch/process.ts';
import { freePort } from './free-port.ts';

/** Debian puts it where only root looks. */
const program = ['nats-server', '/usr/sbin/nats-server'].find((one) => spawnSync(one, ['--version']).status === 0);
if (!program && process.env.TUTTI_REQUIRE_NATS)
  throw new Error(
    'There is no nats-server, and here the tests of NATS may not be skipped: apt-get install nats-server',
  );

/** Its tests are skipped where there is no server, unless that was forbidden by TUTTI_REQUIRE_NATS. */
export function withNats(name: string, body: () => void): void {
  if (program) describe(name, body);
  else describe.skip(`${name} (there is no nats-server here; apt-get install nats-server)`, body);
}

export interface NatsOptions {
  /** Further lines of its configuration. */
  readonly config?: string;
  /** With this configuration of its own. */
  readonly jetstream?: boolean | string;
  /** Of a cluster: its name there, and `host:port` where it and all of them hear each other. */
  readonly member?: { readonly name: string; readonly listen: string; readonly routes: readonly string[] };
}

export interface NatsServer {
  /** `host:port`. */
  readonly address: string;
  readonly child: ChildProcess;
  url(name?: string): string;
  /** Ends it by this signal (default SIGKILL); resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again: the same ports, the same data. */
  again(): Promise<void>;
  /** With all that it has left. */
  remove(): Promise<void>;
}

export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-nats-'));
  let ports = await launch(folder, options);
  const server = {
    address: ports.client,
    get child() {
      return ports.child;
    },
    url: (name = 'home') => `nats://${ports.client}/${name}`,
    async end(signal: NodeJS.Signals = 'SIGKILL') {
      const { child } = ports;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill(signal);
      await once(child, 'exit');
    },
    async again() {
      ports = await launch(folder, options, ports);
    },
    async remove() {
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return server;
}

interface Ports {
  readonly client: string;
  readonly child: ChildProcess;
}

async function launch(folder: string, { config = '', jetstream, member }: NatsOptions, former?: Ports): Promise<Ports> {
  const cluster = member && [
    `server_name: ${member.name}`,
    `cluster { name: test, listen: "${member.listen}", routes: [${member.routes.map((route) => `"nats://${route}"`).join(', ')}] }`,
  ];
  const lines = [
    `listen: "${former?.client ?? '127.0.0.1:-1'}"`,
    `ports_file_dir: "${folder}"`,
    ...(jetstream ? [`jetstream { store_dir: "${folder}/data", ${jetstream === true ? '' : jetstream} }`] : []),
    ...(cluster ?? []),
    config,
  ];
  const file = path.join(folder, 'nats.conf');
  writeFileSync(file, lines.join('\n'));
  for (const name of readdirSync(folder)) if (name.endsWith('.ports')) rmSync(path.join(folder, name));
  const child = spawn(program!, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!/Server is ready/.test(said)) {
    if (child.exitCode !== null) throw new Error(`nats-server ended: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const written = (): string => {
    const name = readdirSync(folder).find((file) => file.endsWith('.ports'));
    return name ? readFileSync(path.join(folder, name), 'utf8') : '';
  };
  while (!written().endsWith('}')) await new Promise((resolve) => setTimeout(resolve, 5));
  const { nats } = JSON.parse(written());
  return { client: nats[0].replace(/^\w+:\/\//, ''), child };
}

/** One server for the tests of a file or group. */
export function sharedNats(options: NatsOptions = {}): () => NatsServer {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats(options);
  });
  afterAll(() => server.remove());
  return () => server;
}

/** Three servers that are one cluster. */
export async function natsCluster(options: Omit<NatsOptions, 'member'> = {}): Promise<NatsServer[]> {
  // JetStream wants to know all of its cluster from the start.
  const ports = await Promise.all(['a', 'b', 'c'].map(freePort));
  const routes = ports.map((port) => `127.0.0.1:${port}`);
  const member = (name: string, i: number) => ({ name, listen: routes[i]!, routes });
  const starting = ['a', 'b', 'c'].map((name, i) => startNats({ ...options, member: member(name, i) }));
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.remove();
    throw error;
  }
}

/** Engines that reach their controller by way of NATS, as if on hosts of their own where so wished. */
export function overNats(url: () => string, { apart = false } = {}): Launcher {
  let host = 0;
  return {
    kind: 'process',
    scheme: 'unix',
    launch(spec): EngineHandle {
      const execArgv = apart
        ? ['--import', `data:text/javascript,${encodeURIComponent(otherHost(`host${host++}`))}`]
        : [];
      return processLauncher({ execArgv }).launch({ ...spec, urls: [url()] });
    },
  };
}

function otherHost(name: string): string {
  return `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; os.hostname = () => '${name}'; syncBuiltinESMExports();`;
}
