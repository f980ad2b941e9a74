/** A NATS server for measurements: on a free port of the loopback address, with JetStream, gone with its folder. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface BenchServer {
  /** `host:port`. */
  readonly address: string;
  remove(): Promise<void>;
}

/** Undefined where there is no nats-server. */
export async function natsServer(): Promise<BenchServer | undefined> {
  const program = ['nats-server', '/usr/sbin/nats-server'].find((one) => spawnSync(one, ['--version']).status === 0);
  if (!program) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const args = ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', folder, '--ports_file_dir', folder];
  const child = spawn(program, args, { stdio: 'ignore' });
  const written = (): string => {
    const name = readdirSync(folder).find((file) => file.endsWith('.ports'));
    return name ? readFileSync(path.join(folder, name), 'utf8') : '';
  };
  while (!written().endsWith('}')) await new Promise((resolve) => setTimeout(resolve, 10));
  const { nats } = JSON.parse(written());
  return {
    address: nats[0].replace('nats://', ''),
    async remove() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
