import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { lmdbStores } from '../../core/store/lmdb-store.ts';
import { storeCompliance } from '../compliance/store.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));
let n = 0;
const place = (): string => path.join(folder, String(n++));
describe('lmdb', () => storeCompliance({ place, provider: (p) => lmdbStores(p), persists: true }, { test }));
