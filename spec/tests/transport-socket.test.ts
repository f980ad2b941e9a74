import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { socket } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'tutti-sockets-'));
afterAll(() => rmSync(folder, { recursive: true }));
let n = 0;
describe('unix', () => transportCompliance({ transport: socket(), url: () => `unix:${folder}/${n++}` }, { test }));
describe('tcp', () => transportCompliance({ transport: socket(), url: () => 'tcp://127.0.0.1:0' }, { test }));
describe('tcp, IPv6', () => transportCompliance({ transport: socket(), url: () => 'tcp://[::1]:0' }, { test }));
