/** The folder of a store on disk: made, owned by this process, and marked with the format of what is in it. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../connection-file.ts';
import { StoreCorruptError, StoreError, StoreFormatError } from '../errors.ts';
import { lockFolder } from './folder-lock.ts';

const FORMAT = 'tutti-store';
/** 1: keys are a byte with the length of the store's name, the name, the key; values have the CRC-32 of both behind them. */
const VERSION = 1;

interface FormatRecord {
  readonly format: string;
  readonly version: number;
  /** The data file was made: from now on it is there, and not empty. */
  readonly ready: boolean;
}

export interface StoreFolder {
  /** Was a store made here before? Then its data must be there. */
  readonly ready: boolean;
  /** Says that the data file is made. */
  markReady(): void;
  release(): void;
}

/** Throws StoreLockedError, StoreFormatError, StoreCorruptError, and StoreError where the folder cannot be used. */
export function openFolder(folder: string, data: string): StoreFolder {
  const lock = guarded(folder, () => {
    makeFolder(folder);
    return lockFolder(folder, path.join(folder, 'owner.json'));
  });
  try {
    return { ready: prepared(folder, data), markReady: () => writeRecord(folder, true), release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function prepared(folder: string, data: string): boolean {
  const record = readRecord(folder);
  if (!record) {
    if (existsSync(path.join(folder, data))) {
      throw new StoreCorruptError(
        `${folder} holds a ${data} that no store has made, or its store.json is lost; choose another folder`,
      );
    }
    guarded(folder, () => writeRecord(folder, false));
    return false;
  }
  if (record.ready && !existsSync(path.join(folder, data))) {
    const there = readdirSync(folder).join(', ');
    throw new StoreCorruptError(
      `${folder} has lost its ${data} (there are ${there}); restore it, or remove the folder`,
    );
  }
  return record.ready;
}

function readRecord(folder: string): FormatRecord | undefined {
  const file = path.join(folder, 'store.json');
  let record: FormatRecord;
  try {
    record = JSON.parse(readFileSync(file, 'utf8')) as FormatRecord;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StoreCorruptError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (record?.format !== FORMAT) throw new StoreCorruptError(`${file} is none of a store; choose another folder`);
  if (record.version !== VERSION) {
    throw new StoreFormatError(
      `The store in ${folder} has format ${record.version}, and this version of tutti knows ${VERSION}; open it with the version that wrote it`,
    );
  }
  return record;
}

/** As a whole or not at all, also when power fails. */
function writeRecord(folder: string, ready: boolean): void {
  const file = path.join(folder, 'store.json');
  const draft = `${file}.draft`;
  const record: FormatRecord = { format: FORMAT, version: VERSION, ready };
  synced(draft, 'w', (fd) => void writeSync(fd, `${JSON.stringify(record)}\n`));
  renameSync(draft, file);
  synced(folder, 'r');
}

function synced(file: string, flags: string, write?: (fd: number) => void): void {
  const fd = openSync(file, flags, 0o600);
  try {
    write?.(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What the file system says becomes an error of the store; our own pass. */
function guarded<T>(folder: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOTDIR' || code === 'EEXIST' ? 'it is a file, or below one' : message;
    throw new StoreError(`Cannot keep a store in ${folder}: ${why}. Give a folder that this process can write to`, {
      cause,
    });
  }
}
