/** What one attempt writes. */
import { mkdirSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { type EncodeRecord, encoderFor, headerOf } from './encode.ts';
import { OutputError, outputError } from './errors.ts';
import { DONE, partFolder } from './folder.ts';
import { checkName, type OutputSpec, partName } from './spec.ts';

const gzip = promisify(zlib.gzip);

/** Bytes of one file that are written at once; a member of its own, where the file is compressed. */
const CHUNK = 1 << 20;
/** Bytes of all files that wait for more. */
const WAITING = 16 * CHUNK;
/** Chunks on their way to the disk, before `drain` says wait. */
const ON_THEIR_WAY = 4;

export interface PartWriter {
  /** Buffered. `name` for a file beside the part: `names/are-00003.jsonl`. Throws where the format has no way to write the record. */
  write(key: unknown, value: unknown, name?: string): void;
  /** Undefined: go on. Otherwise wait for it before the next `write`. */
  drain(): Promise<void> | undefined;
  /** The output of this attempt becomes that of the part, all or nothing; false if another attempt was first. */
  commit(): Promise<boolean>;
  /** Nothing is left of it. */
  abort(): Promise<void>;
}

/** No file without a record. */
export function openPart(spec: OutputSpec, task: { part: number; attempt: number }): PartWriter {
  return new Attempt(spec, task);
}

/** What waits to be written to one file: as bytes, since a text would hold on to all texts that it is made of. */
class PartFile {
  readonly file: string;
  #memory = Buffer.allocUnsafeSlow(1 << 10);
  size = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** Returns how many bytes it took. */
  add(text: string): number {
    const most = this.size + 3 * text.length;
    if (most > this.#memory.length) {
      const more = Buffer.allocUnsafeSlow(Math.max(most, 2 * this.#memory.length));
      this.#memory.copy(more, 0, 0, this.size);
      this.#memory = more;
    }
    const bytes = this.#memory.write(text, this.size);
    this.size += bytes;
    return bytes;
  }

  take(): Buffer {
    const chunk = this.#memory.subarray(0, this.size);
    this.#memory = Buffer.allocUnsafeSlow(1 << 10);
    this.size = 0;
    return chunk;
  }
}

class Attempt implements PartWriter {
  readonly #spec: OutputSpec;
  readonly #part: number;
  readonly #folder: string;
  readonly #encode: EncodeRecord;
  readonly #files = new Map<string | undefined, PartFile>();
  #waiting = 0;
  /** Writes one after the other. */
  #written: Promise<void> | undefined;
  #onTheirWay = 0;
  #failure: OutputError | undefined;
  #made = false;

  constructor(spec: OutputSpec, { part, attempt }: { part: number; attempt: number }) {
    this.#spec = spec;
    this.#part = part;
    // Copies of an attempt have its number.
    this.#folder = `${partFolder(spec, part)}.${attempt}.${process.pid}-${Math.random().toString(36).slice(2)}`;
    this.#encode = encoderFor(spec);
  }

  write(key: unknown, value: unknown, name?: string): void {
    const line = this.#encode(key, value);
    let output = this.#files.get(name);
    if (!output) {
      if (name !== undefined) checkName(name);
      output = new PartFile(path.join(this.#folder, partName(this.#spec, this.#part, name)));
      this.#files.set(name, output);
      this.#waiting += output.add(headerOf(this.#spec));
    }
    this.#waiting += output.add(line);
    if (output.size >= CHUNK) this.#send(output);
    if (this.#waiting >= WAITING) this.#sendAll();
  }

  drain(): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure);
    return this.#onTheirWay > ON_THEIR_WAY ? this.#landed() : undefined;
  }

  async commit(): Promise<boolean> {
    this.#make();
    this.#sendAll();
    await this.#landed();
    try {
      await writeFile(path.join(this.#folder, DONE), '');
      await rename(this.#folder, partFolder(this.#spec, this.#part));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      await this.abort();
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
      throw outputError(this.#folder, 'finish', error);
    }
  }

  async abort(): Promise<void> {
    this.#files.clear();
    await this.#written;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #sendAll(): void {
    for (const output of this.#files.values()) this.#send(output);
  }

  #send(output: PartFile): void {
    if (output.size === 0) return;
    const { file } = output;
    const chunk = output.take();
    this.#waiting -= chunk.length;
    this.#make();
    this.#onTheirWay++;
    const bytes = this.#spec.gzip ? gzip(chunk) : chunk;
    const before = this.#written;
    this.#written = (async () => {
      try {
        await before;
        const ready = await bytes;
        if (this.#failure) return;
        if (path.dirname(file) !== this.#folder) await mkdir(path.dirname(file), { recursive: true });
        await appendFile(file, ready);
      } catch (error) {
        this.#failure ??= outputError(file, 'write', error);
      } finally {
        this.#onTheirWay--;
      }
    })();
  }

  async #landed(): Promise<void> {
    await this.#written;
    if (this.#failure) throw this.#failure;
  }

  #make(): void {
    if (this.#made) return;
    try {
      // Not the folders above: they go when the job is over.
      mkdirSync(this.#folder);
      this.#made = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw outputError(this.#folder, 'make', error);
      const { dir } = this.#spec;
      throw new OutputError(
        `Nothing can be written to ${dir}: the job is over, or the folder is on a disk that this engine does not share`,
        dir,
      );
    }
  }
}
