/** 128 hosts on this machine: `node dist/bench/hosts/main.js [HOSTS [TASKS OF EACH]]`, or part of `npm run bench -- beyond`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { impossible, makeNetwork } from './network.ts';

const HOSTS = 128;

/** @param tasks of each host, of 0.1 s */
export async function hosts(count = HOSTS, tasks = 100): Promise<void> {
  const reason = impossible();
  if (reason) {
    console.log(`  ${count} hosts were not tried: ${reason}`);
    return;
  }
  const network = makeNetwork(count);
  try {
    const program = fileURLToPath(new URL('run.js', import.meta.url));
    const hub = network.center.replace(/center$/, 'hub');
    const args = ['netns', 'exec', network.center, process.execPath, program, String(tasks), hub, ...network.hosts];
    const child = spawn('ip', args, { stdio: ['pipe', 'inherit', 'inherit'] });
    const [code, signal] = await once(child, 'exit');
    if (code !== 0) throw new Error(`The run on ${count} hosts ended with ${signal ?? code}`);
  } finally {
    network.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await hosts(...process.argv.slice(2).map(Number));
