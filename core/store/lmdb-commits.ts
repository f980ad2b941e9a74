/**
 * Writes on their way to the disk, in the order of the calls. While one group is committed the next one gathers, so that the
 * price of a commit is shared by all that came meanwhile.
 */
import { Worker } from 'node:worker_threads';
import { StoreCorruptError, StoreError } from '../errors.ts';
import { programUrl } from '../launch/programs.ts';
import type { Outcome, WriterCommand, WriterMessage, WriterOptions } from './lmdb-writer.ts';
import { type BinaryChange, PackedWrites } from './packed-writes.ts';

/** Bytes from which on a group takes no further writes. */
const GROUP = 16 * 1024 * 1024;

interface Waiting {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

interface Group {
  readonly writes: PackedWrites;
  readonly waiting: Waiting[];
}

export class Commits {
  readonly #worker: Worker;
  readonly #committed: () => void;
  readonly #groups: Group[] = [];
  #underway: Group | undefined;
  #ended: Error | undefined;
  readonly #exited: Promise<void>;

  /** `committed` is called before writes resolve. */
  static async start(options: WriterOptions, committed: () => void): Promise<Commits> {
    const worker = new Worker(programUrl('store-writer.js'), {
      workerData: options,
      execArgv: [],
      name: 'tutti store',
    });
    const commits = new Commits(worker, options.folder, committed);
    try {
      await new Promise<void>((resolve, reject) => {
        worker.once('message', (message: WriterMessage) => {
          if ('refused' in message) reject(refusal(message.refused));
          else resolve();
        });
        worker.once('exit', () => reject(commits.#ended));
      });
    } catch (error) {
      await commits.#exited;
      throw error;
    }
    worker.on('message', (message: WriterMessage) => {
      if ('outcomes' in message) commits.#settle(message.outcomes);
    });
    worker.unref(); // an open store keeps no program alive; listening, before this, does
    return commits;
  }

  private constructor(worker: Worker, folder: string, committed: () => void) {
    this.#worker = worker;
    this.#committed = committed;
    let cause: Error | undefined;
    worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        const why = cause ? `: ${cause.message}` : '';
        this.#end(
          new StoreError(`The store in ${folder} has lost its writer${why}; close it and open it again`, { cause }),
        );
        resolve();
      });
    });
  }

  /** Resolves when the outcome is known and durable; copies what it needs before it returns. */
  write(changes: readonly BinaryChange[]): Promise<Outcome> {
    if (this.#ended) return Promise.reject(this.#ended);
    let group = this.#groups.at(-1);
    if (!group || group.writes.size >= GROUP) {
      group = { writes: new PackedWrites(), waiting: [] };
      this.#groups.push(group);
      // What is written in the same turn leaves together.
      if (!this.#underway && this.#groups.length === 1) setImmediate(() => this.#next());
    }
    group.writes.add(changes);
    return new Promise((resolve, reject) => group.waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    await this.write([]).catch(() => {}); // behind all that was accepted; those who wait for a lost writer are told
    this.#worker.postMessage('close' satisfies WriterCommand);
    this.#worker.ref();
    await this.#exited;
  }

  #next(): void {
    if (this.#underway) return;
    const group = this.#groups.shift();
    if (!group) {
      this.#worker.unref();
      return;
    }
    this.#underway = group;
    const packed = group.writes.take();
    this.#worker.ref();
    this.#worker.postMessage(packed satisfies WriterCommand, [packed.memory]);
  }

  #settle(outcomes: readonly Outcome[]): void {
    const { waiting } = this.#underway!;
    this.#underway = undefined;
    this.#committed();
    this.#next();
    waiting.forEach(({ resolve }, i) => {
      resolve(outcomes[i]);
    });
  }

  #end(error: Error): void {
    this.#ended = error;
    const lost = [this.#underway, ...this.#groups.splice(0)].flatMap((group) => group?.waiting ?? []);
    this.#underway = undefined;
    for (const { reject } of lost) reject(error);
  }
}

function refusal({ code, message }: { code: string; message: string }): StoreError {
  return code === 'STORE_CORRUPT' ? new StoreCorruptError(message) : new StoreError(message);
}
