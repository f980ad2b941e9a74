/** Runs on other engines: their blocks are asked for a few at a time, and no faster than they are read. */
import type { BlocksAnswer, BlocksRequest, OutputName, Places, RunHead, RunsAnswer, RunsRequest } from '../messages.ts';
import { type BlockSource, blocksOf } from '../records/cursor.ts';
import { IN_CHECKPOINT, readCheckpoint } from './checkpoint.ts';
import type { Store } from './store.ts';

/** An engine, or what asks one. */
export interface Elsewhere {
  runs(request: RunsRequest): Promise<RunsAnswer>;
  blocks(request: BlocksRequest): Promise<BlocksAnswer>;
}

export interface FetchHome {
  readonly engine: number;
  /** Of a job on this engine. */
  store(job: string): Store | undefined;
  elsewhere(engine: number): Elsewhere;
  /** The folder of the job's checkpoint. */
  readonly checkpoint?: string | undefined;
  readonly signal: AbortSignal;
}

/** What was to be read is gone: these outputs have to be made again. */
export class Starved extends Error {
  readonly missing: readonly OutputName[];
  constructor(missing: readonly OutputName[]) {
    super('What it reads has gone');
    this.missing = missing;
  }
}

export interface Fetched {
  readonly sources: BlockSource[];
  readonly records: number;
  /** All together, and those that come from elsewhere. */
  readonly bytes: number;
  readonly remote: number;
}

export interface Wanted {
  readonly job: string;
  readonly stage: number;
  readonly partition: number;
  readonly places: Places;
}

/** @param came is told how many bytes have come. @throws Starved */
export async function fetchRuns(home: FetchHome, wanted: Wanted, came: (bytes: number) => void): Promise<Fetched> {
  const { job, stage, partition } = wanted;
  const found = await Promise.all(
    wanted.places.map(([engine, tasks]) =>
      engine === home.engine || engine === IN_CHECKPOINT
        ? here(home, engine, wanted, tasks, came)
        : there(home, engine, { job, stage, partition, tasks }, came),
    ),
  );
  const missing = found.flatMap((one) => one.missing);
  if (missing.length) throw new Starved(missing.map((task) => ({ job, stage, task })));
  // The same order wherever they lie: that of the tasks that have made them.
  const runs = found.flatMap((one) => one.runs).sort((a, b) => a.task - b.task || a.run - b.run);
  return {
    sources: runs.map(({ source }) => source),
    records: runs.reduce((sum, run) => sum + run.records, 0),
    bytes: runs.reduce((sum, run) => sum + run.bytes, 0),
    remote: runs.reduce((sum, run) => sum + (run.remote ? run.bytes : 0), 0),
  };
}

interface FoundRun {
  readonly task: number;
  readonly run: number;
  readonly records: number;
  readonly bytes: number;
  readonly remote: boolean;
  readonly source: BlockSource;
}
interface Found {
  readonly missing: readonly number[];
  readonly runs: FoundRun[];
}

function here(
  { store, checkpoint }: FetchHome,
  engine: number,
  { job, stage, partition }: Wanted,
  tasks: readonly number[],
  came: (bytes: number) => void,
): Found {
  const missing: number[] = [];
  const runs = tasks.flatMap((task): FoundRun[] => {
    const local =
      engine === IN_CHECKPOINT
        ? readCheckpoint(checkpoint!, { stage, task })?.partitions[partition]
        : store(job)?.local({ job, stage, task }, partition);
    if (!local) missing.push(task);
    return (local ?? []).map((run, index) => ({
      ...{ task, run: index, records: run.records, bytes: run.bytes, remote: false },
      source: counted(blocksOf(run), came),
    }));
  });
  return { missing, runs };
}

function counted(source: BlockSource, came: (bytes: number) => void): BlockSource {
  return {
    next() {
      const block = source.next() as Uint8Array | undefined;
      if (block) came(block.length);
      return block;
    },
  };
}

async function there(
  home: FetchHome,
  engine: number,
  request: RunsRequest,
  came: (bytes: number) => void,
): Promise<Found> {
  const elsewhere = home.elsewhere(engine);
  const answer = await tryTwice(home, () => elsewhere.runs(request));
  if (!answer) return { missing: request.tasks, runs: [] };
  const { job, stage, partition } = request;
  const runs = answer.runs.map((head) => ({
    ...head,
    remote: true,
    source: new RemoteRun(home, elsewhere, { job, stage, partition, task: head.task, run: head.run }, head, came),
  }));
  return { missing: answer.missing, runs };
}

/** A channel may break without anybody being lost. Undefined: nobody answers. */
async function tryTwice<T>({ signal }: FetchHome, ask: () => Promise<T>): Promise<T | undefined> {
  for (let i = 0; i < 2; i++) {
    try {
      return await ask();
    } catch {
      signal.throwIfAborted();
    }
  }
  return undefined;
}

class RemoteRun implements BlockSource {
  readonly #home: FetchHome;
  readonly #elsewhere: Elsewhere;
  readonly #name: Omit<BlocksRequest, 'from'>;
  readonly #blocks: number;
  readonly #came: (bytes: number) => void;
  #ready: Uint8Array[];
  /** Of those that were asked for, the one after the last. */
  #asked: number;
  #coming: Promise<void> | undefined;

  constructor(
    home: FetchHome,
    elsewhere: Elsewhere,
    name: Omit<BlocksRequest, 'from'>,
    { blocks, first }: RunHead,
    came: (bytes: number) => void,
  ) {
    this.#home = home;
    this.#elsewhere = elsewhere;
    this.#name = name;
    this.#blocks = blocks;
    this.#came = came;
    this.#ready = [...first];
    this.#asked = first.length;
    for (const block of first) came(block.length);
  }

  next(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const block = this.#ready.shift();
    if (!this.#ready.length && !this.#coming && this.#asked < this.#blocks) {
      this.#coming = this.#fetch();
      // Whoever asks for the next block is told.
      this.#coming.catch(() => {});
    }
    if (block) return block;
    return this.#coming?.then(() => this.next());
  }

  async #fetch(): Promise<void> {
    const request = { ...this.#name, from: this.#asked };
    const blocks = await tryTwice(this.#home, () => this.#elsewhere.blocks(request));
    if (!blocks?.length) throw new Starved([this.#name]);
    for (const block of blocks) this.#came(block.length);
    this.#ready.push(...blocks);
    this.#asked += blocks.length;
    this.#coming = undefined;
  }
}
