/**
 * A folder belongs to one process: a file in it says which one. A process that was killed leaves its file behind; the next
 * one takes it over, and of several that try exactly one does.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRunning } from '../connection-file.ts';
import { StoreLockedError } from '../errors.ts';

interface Owner {
  readonly pid: number;
  /** When it started, since process ids are used again; absent where the system does not tell. */
  readonly start?: string | undefined;
  readonly host: string;
  readonly token: string;
}

export interface FolderLock {
  release(): void;
}

/** Throws StoreLockedError when a process that is alive holds the file. */
export function lockFolder(folder: string, file: string): FolderLock {
  const me: Owner = { pid: process.pid, start: startOf(process.pid), host: hostname(), token: randomUUID() };
  const draft = `${file}.${me.token}`;
  writeFileSync(draft, JSON.stringify(me), { mode: 0o600 });
  try {
    while (!linked(draft, file)) {
      const owner = ownerOf(file);
      if (!owner) continue; // released just now
      if (owner !== 'unreadable' && isAlive(owner)) throw locked(folder, file, owner);
      // Whoever replaces a dead owner's file holds a lock for that, so nobody can replace it twice.
      const taking = lockFolder(folder, `${file}.taking`);
      try {
        const now = ownerOf(file);
        if (!now || (now !== 'unreadable' && isAlive(now))) continue;
        renameSync(draft, file);
        break;
      } finally {
        taking.release();
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      const owner = ownerOf(file);
      if (typeof owner === 'object' && owner.token === me.token) rmSync(file);
    },
  };
}

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(file: string): Owner | 'unreadable' | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    return Number.isInteger(owner?.pid) ? owner : 'unreadable';
  } catch (error) {
    // Files get their content before their name, so one that makes no sense is of a machine that lost power.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unreadable';
  }
}

/** One on another host cannot be asked: it is believed to be alive. */
function isAlive({ pid, start, host }: Owner): boolean {
  if (host !== hostname()) return true;
  return isRunning(pid) && (!start || startOf(pid) === start);
}

function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name, in parentheses, may hold anything; the start is the 20th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function locked(folder: string, file: string, { pid, host }: Owner): StoreLockedError {
  const who = pid === process.pid && host === hostname() ? `this process (${pid})` : `process ${pid} on ${host}`;
  const next =
    host === hostname()
      ? 'close it there first, or choose another folder'
      : `if that process is gone for good, remove ${file}`;
  return new StoreLockedError(`The store in ${folder} is in use by ${who}; ${next}`, pid);
}
