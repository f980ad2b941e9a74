/** Hosts of their own, as far as engines can see: network namespaces, where these are allowed. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { impossible } from '../../bench/hosts/network.ts';

const skip = impossible();
const program = fileURLToPath(new URL('../../dist/bench/hosts/main.js', import.meta.url));

test.skipIf(skip)(
  `engines on hosts of their own join, work, talk to each other, and are cut off and come back${skip ? ` (${skip})` : ''}`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, '4', '20'], { timeout: 55_000 });
    expect(stdout).toMatch(/4 hosts join over TLS/);
    expect(stdout).toMatch(/8 MiB from one host straight to another/);
    expect(stdout).toMatch(/2 hosts cut off for 1 s in the middle +\S+ %, right answer, nothing lost/);
    expect(stdout).toMatch(/all of them back/);
  },
);
