/** What tasks of one job have left on this engine, for reducers, for the client, or for another job. */
import { tmpdir } from 'node:os';
import type { BlocksAnswer, BlocksRequest, OutputName, RunHead, RunsAnswer, RunsRequest } from '../messages.ts';
import type { Run, Shelf } from '../records/run.ts';
import { SpillFile } from '../records/spill-file.ts';
import type { Keeper } from './terminal.ts';

/** Parts of a job's memory on an engine: what is being gathered, what has been left, and the values of one key. */
export const SHARE = { buffer: 1 / 8, outputs: 1 / 8, values: 1 / 16 };
/** Bytes of one answer. */
const ANSWER = 256 << 10;

/** By partition: sorted runs. */
export type Partitions = readonly (readonly Run[])[];

export class Store {
  readonly #folder: string;
  readonly #room: number;
  readonly #outputs = new Map<string, { partitions: Partitions; inMemory: number }>();
  #inMemory = 0;
  #file: SpillFile | undefined;
  #closed = false;

  /** @param room bytes of outputs that may stay in memory */
  constructor(folder: string | undefined, room: number) {
    this.#folder = folder ?? tmpdir();
    this.#room = room;
  }

  /** For the runs of one task. */
  keeper(name: Pick<OutputName, 'stage' | 'task'>): Keeper {
    let taken = 0;
    return {
      shelf: {
        take: (bytes) => {
          if (this.#inMemory + bytes > this.#room) return false;
          this.#inMemory += bytes;
          taken += bytes;
          return true;
        },
        file: () => this.#spill(),
      },
      keep: (partitions) => {
        const key = keyOf(name);
        this.#inMemory -= this.#outputs.get(key)?.inMemory ?? 0;
        this.#outputs.set(key, { partitions, inMemory: taken });
      },
      drop: () => {
        this.#inMemory -= taken;
        taken = 0;
      },
    };
  }

  /** A file of its own, for what is not needed for long. */
  aside(): { shelf: Shelf; over(): void } {
    let file: SpillFile | undefined;
    return {
      shelf: { take: () => false, file: () => (file ??= new SpillFile(this.#folder)) },
      over: () => file?.close(),
    };
  }

  runs(request: RunsRequest): RunsAnswer {
    let room = ANSWER;
    const runs: RunHead[] = [];
    const missing = request.tasks.filter((task) => !this.#outputs.has(keyOf({ ...request, task })));
    if (missing.length) return { missing, runs };
    for (const task of request.tasks) {
      for (const [index, run] of this.#runsOf({ ...request, task })!.entries()) {
        const first: Uint8Array[] = [];
        while (room > 0 && first.length < run.blocks) {
          const block = run.block(first.length);
          first.push(block);
          room -= block.length;
        }
        const { blocks, bytes, records } = run;
        runs.push({ task, run: index, blocks, bytes, records, first });
      }
    }
    return { missing, runs };
  }

  blocks({ run, from, ...request }: BlocksRequest): BlocksAnswer {
    const found = this.#runsOf(request)?.[run];
    if (!found) return undefined;
    const blocks: Uint8Array[] = [];
    for (let room = ANSWER; room > 0 && from + blocks.length < found.blocks; ) {
      const block = found.block(from + blocks.length);
      blocks.push(block);
      room -= block.length;
    }
    return blocks;
  }

  /** Without a way through messages. Undefined: not here. */
  local(name: OutputName, partition: number): readonly Run[] | undefined {
    return this.#runsOf({ ...name, partition });
  }

  close(): void {
    this.#closed = true;
    this.#outputs.clear();
    this.#file?.close();
  }

  #runsOf(name: OutputName & { partition: number }): readonly Run[] | undefined {
    const output = this.#outputs.get(keyOf(name));
    return output && (output.partitions[name.partition] ?? []);
  }

  #spill(): SpillFile {
    if (this.#closed) throw new Error('The job is over');
    this.#file ??= new SpillFile(this.#folder);
    return this.#file;
  }
}

function keyOf({ stage, task }: Pick<OutputName, 'stage' | 'task'>): string {
  return `${stage}:${task}`;
}
