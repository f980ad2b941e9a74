/**
 * What a task leaves for later stages as a file that outlives its engine: blocks, then an index, then the size of the index. It gets its name
 * when it is whole.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { OutputName, TaskDone } from '../messages.ts';
import type { Place, Run } from '../records/run.ts';
import { SpillFile } from '../records/spill-file.ts';
import type { Partitions } from './store.ts';
import type { Keeper } from './terminal.ts';

/** In place of the engine that holds an output: it is in the checkpoint. */
export const IN_CHECKPOINT = -2;

/** Bytes of the size of the index. */
const SIZE = 4;

interface Index {
  readonly done: TaskDone;
  /** By partition and run. */
  readonly partitions: readonly (readonly IndexedRun[])[];
}

interface IndexedRun {
  readonly records: number;
  readonly bytes: number;
  readonly places: readonly Place[];
}

export type TaskName = Pick<OutputName, 'stage' | 'task'>;

export function checkpointFile(folder: string, { stage, task }: TaskName): string {
  return path.join(folder, `${stage}-${task}.runs`);
}

/** For the runs of one task. @throws SpillError when the folder is not there any more: the job is over. */
export function checkpointKeeper(folder: string, name: TaskName): Keeper {
  const file = new SpillFile(folder, { named: true });
  return {
    shelf: { take: () => false, file: () => file },
    keep(partitions, done) {
      const indexed = partitions.map((runs) => runs.map(({ records, bytes, places }) => ({ records, bytes, places })));
      const index = Buffer.from(JSON.stringify({ done, partitions: indexed } satisfies Index));
      const size = Buffer.alloc(SIZE);
      size.writeUInt32BE(index.length);
      file.append(index);
      file.append(size);
      // Another attempt may have been first: its file is the same.
      file.settle(checkpointFile(folder, name));
    },
    drop: () => file.close(),
  };
}

/** What is there of a task; undefined: nothing, or nothing whole. */
export function readCheckpoint(folder: string, name: TaskName): { done: TaskDone; partitions: Partitions } | undefined {
  const file = checkpointFile(folder, name);
  try {
    const { done, partitions } = indexOf(file);
    return { done, partitions: partitions.map((runs) => runs.map((run) => runIn(file, run))) };
  } catch {
    return undefined;
  }
}

function indexOf(file: string): Index {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const length = readAt(descriptor, size - SIZE, SIZE).readUInt32BE();
    return JSON.parse(readAt(descriptor, size - SIZE - length, length).toString());
  } finally {
    closeSync(descriptor);
  }
}

/** No file stays open between two blocks: there may be many. */
function runIn(file: string, { records, bytes, places }: IndexedRun): Run {
  return {
    ...{ records, bytes, places, blocks: places.length },
    block(index) {
      const { at, size } = places[index]!;
      const descriptor = openSync(file, 'r');
      try {
        return readAt(descriptor, at, size);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

function readAt(descriptor: number, at: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let read = 0; read < size; ) {
    const got = readSync(descriptor, bytes, read, size - read, at + read);
    if (!got) throw new Error('The file ends too early');
    read += got;
  }
  return bytes;
}
