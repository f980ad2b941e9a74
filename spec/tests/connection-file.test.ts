import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  connectionFile,
  isAlive,
  listClusters,
  readConnectionFile,
  removeConnectionFile,
  writeConnectionFile,
} from '../../core/connection-file.ts';
import { ClusterNotFoundError, UsageError } from '../../core/errors.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'tutti-file-'));
  process.env.TUTTI_HOME = path.join(root, 'some', 'home');
});
afterEach(() => {
  delete process.env.TUTTI_HOME;
  rmSync(root, { recursive: true, force: true });
});

const info = (name: string, more: object = {}) => ({
  name,
  urls: ['tcp://127.0.0.1:1'],
  token: 'c1.secret',
  host: hostname(),
  pid: process.pid,
  ...more,
});
/** The id of a process that has ended. */
const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid;
const mode = (file: string): number => statSync(file).mode & 0o777;

describe('writing', () => {
  test('a secret that only its owner reads, alone in its folder, and read back', () => {
    const file = writeConnectionFile(info('a'));
    expect(file).toBe(connectionFile('a'));
    expect(mode(file)).toBe(0o600);
    expect(mode(path.dirname(file))).toBe(0o700);
    expect(readdirSync(path.dirname(file))).toEqual(['a.json']);
    expect(readConnectionFile(file)).toEqual(info('a'));
  });

  test('the last file takes the folder with it; removing twice is fine', () => {
    const [a, b] = [writeConnectionFile(info('a')), writeConnectionFile(info('b'))];
    removeConnectionFile(a);
    expect(existsSync(b)).toBe(true);
    removeConnectionFile(b);
    removeConnectionFile(b);
    expect(existsSync(path.dirname(b))).toBe(false);
  });

  test('a name is taken while its cluster lives, and free when it is gone', () => {
    const file = writeConnectionFile(info('a'));
    expect(() => writeConnectionFile(info('a', { token: 'other' }))).toThrow(UsageError);
    expect(readConnectionFile(file).token).toBe('c1.secret');
    expect(readdirSync(path.dirname(file))).toEqual(['a.json']);
    writeFileSync(file, JSON.stringify(info('a', { pid: gone() })));
    writeConnectionFile(info('a', { token: 'other' }));
    expect(readConnectionFile(file).token).toBe('other');
  });

  test.each(['', 'a b', '../a', 'a/b', 'ä', 'x'.repeat(65)])('%j is no name', (name) => {
    expect(() => connectionFile(name)).toThrow(UsageError);
  });

  test('a folder that cannot be made is an error that names it, and ends', () => {
    const blocked = path.join(root, 'a-file');
    writeFileSync(blocked, '');
    for (const home of [path.join(blocked, 'deep', 'home'), '/proc/tutti/home']) {
      process.env.TUTTI_HOME = home;
      expect(() => writeConnectionFile(info('a'))).toThrow(`${home}/a.json`);
      expect(() => writeConnectionFile(info('a'))).toThrow(/Set TUTTI_HOME/);
    }
  });
});

describe('reading', () => {
  test.each(['', '{', '[]', '{"urls": "tcp://x", "token": "t"}', '{"urls": []}'])(
    '%j is no connection file',
    (text) => {
      const file = writeConnectionFile(info('a'));
      writeFileSync(file, text);
      expect(() => readConnectionFile(file)).toThrow(ClusterNotFoundError);
      expect(() => readConnectionFile(file)).toThrow(file);
      expect(isAlive(file)).toBe(false);
    },
  );

  test('a cluster on another host, or without a process id, is believed to be alive', () => {
    expect(isAlive(writeConnectionFile(info('far', { host: 'elsewhere.example', pid: gone() })))).toBe(true);
    expect(isAlive(writeConnectionFile(info('nameless', { pid: undefined })))).toBe(true);
  });

  test('the list holds the living, in order of name, and clears away the dead', () => {
    expect(listClusters()).toEqual([]);
    writeConnectionFile(info('b'));
    writeConnectionFile(info('a'));
    const dead = writeConnectionFile(info('dead', { pid: gone() }));
    expect(listClusters().map((c) => c.name)).toEqual(['a', 'b']);
    expect(existsSync(dead)).toBe(false);
  });
});
