/** Hosts of their own, as far as engines can see: network namespaces, where these are allowed. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { impossible } from '../../bench/hosts/network.ts';

const PATIENCE = 170_000;
const skip = impossible();
const program = fileURLToPath(new URL('../../dist/bench/hosts/main.js', import.meta.url));

test.skipIf(skip)(
  `engines on hosts of their own join, work, talk to each other, and are cut off and come back${skip ? ` (${skip})` : ''}`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, '4', '20'], { timeout: PATIENCE });
    expect(stdout).toMatch(/4 hosts join over TLS/);
    expect(stdout).toMatch(/8 MiB from one host straight to another/);
    expect(stdout).toMatch(/2 hosts cut off for 1 s in the middle +\S+ %, right answer, nothing lost/);
    expect(stdout).toMatch(/all of them back/);
    expect(stdout).toMatch(/a shuffle between hosts that share no files .* right answer/);
    expect(stdout).toMatch(/4 hosts at links of 50 to 70 ms each way .* nobody given up/);
  },
  PATIENCE,
);
