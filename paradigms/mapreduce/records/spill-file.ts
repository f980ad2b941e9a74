/**
 * A temporary file that only grows, and that has no name: it is gone with its last descriptor, however the process ends. Where an
 * open file cannot be removed, `close` does it. `named` ones have a name until they are closed, or another one from then on.
 */
import { closeSync, mkdirSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { SpillError } from '../errors.ts';

export class SpillFile {
  readonly #file: string;
  #descriptor: number | undefined;
  #named = true;
  #size = 0;

  /** @param named: it is to become another file by `settle` */
  constructor(folder: string, { named = false } = {}) {
    this.#file = path.join(folder, `tutti-mapreduce-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      if (!named) mkdirSync(folder, { recursive: true });
      this.#descriptor = openSync(this.#file, 'wx+', 0o600);
    } catch (cause) {
      throw this.#failed('make', cause);
    }
    if (named) return;
    try {
      unlinkSync(this.#file);
      this.#named = false;
    } catch {
      // Not while it is open, on this system.
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Where it lies. @throws SpillError when the disk is full. */
  append(bytes: Uint8Array): number {
    const at = this.#size;
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(this.#opened(), bytes, written, bytes.length - written, at + written);
      } catch (cause) {
        throw this.#failed('write', cause);
      }
    }
    this.#size += bytes.length;
    return at;
  }

  /** Fills it with what lies there. */
  read(at: number, bytes: Uint8Array): Uint8Array {
    const size = bytes.length;
    for (let read = 0; read < size; ) {
      let got = 0;
      try {
        got = readSync(this.#opened(), bytes, read, size - read, at + read);
      } catch (cause) {
        throw this.#failed('read', cause);
      }
      if (!got) throw this.#failed('read', new Error(`it ends at byte ${at + read}`));
      read += got;
    }
    return bytes;
  }

  /** It stays, under this name. */
  settle(name: string): void {
    renameSync(this.#file, name);
    this.#named = false;
    this.close();
  }

  /** Closing twice is fine. */
  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    if (this.#named) unlinkSync(this.#file);
  }

  #opened(): number {
    if (this.#descriptor === undefined) throw new Error('its job is over');
    return this.#descriptor;
  }

  #failed(what: string, cause: unknown): SpillError {
    const folder = path.dirname(this.#file);
    const full = (cause as { code?: string }).code === 'ENOSPC';
    const why = full ? 'the disk is full' : (cause as Error).message;
    const advice = full ? '; free some space, or name another folder with `temp`' : '';
    return new SpillError(`Cannot ${what} a temporary file in ${folder}: ${why}${advice}`, { cause });
  }
}
