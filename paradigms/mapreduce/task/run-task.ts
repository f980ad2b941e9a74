/** One task of a stage on its engine: from what it reads through its functions to what it leaves. */
import { BUILT_IN, Tally } from '../counters.ts';
import type { OutputName, TaskDone, TaskResult, TaskSpec } from '../messages.ts';
import type { Plan, Stage } from '../plan.ts';
import { decodeBlock } from '../records/block.ts';
import { type BlockSource, blocksOf } from '../records/cursor.ts';
import { eachGroup } from '../records/groups.ts';
import type { Compare } from '../records/keys.ts';
import { Merge } from '../records/merge.ts';
import { RunFiller, type Shelf } from '../records/run.ts';
import { readBatches } from '../sources/read.ts';
import { Chain } from './chain.ts';
import { checkpointKeeper, IN_CHECKPOINT } from './checkpoint.ts';
import { Context } from './context.ts';
import { type FetchHome, fetchRuns, Starved } from './fetch.ts';
import { Stop } from './link.ts';
import { checkedCompare, compareOf, partitionerOf } from './partitioner.ts';
import { ShuffleWriter } from './shuffle-writer.ts';
import { SHARE } from './store.ts';
import { intoParts, intoSample, intoShuffle, ontoEngine, type Terminal } from './terminal.ts';

/** Runs that are merged at a time: each has blocks in memory. */
const FACTOR = 64;
/** ms without a look at what others want. */
const BREATH = 8;
/** Bytes between two words on how far it is. */
const PACE = 1 << 20;

export interface TaskHome extends FetchHome {
  readonly attempt: number;
  progress(done: number, total: number): void;
}

export async function runTask(plan: Plan, spec: TaskSpec, home: TaskHome): Promise<TaskResult> {
  const task = new StageTask(plan, spec, home);
  try {
    return await task.run();
  } catch (error) {
    if (error instanceof Starved) return { kind: 'starved', missing: error.missing };
    throw error;
  }
}

class StageTask {
  readonly #plan: Plan;
  readonly #spec: TaskSpec;
  readonly #home: TaskHome;
  readonly #stage: Stage;
  readonly #name: OutputName;
  readonly #tally = new Tally();
  readonly #reading = { file: undefined as string | undefined };

  constructor(plan: Plan, spec: TaskSpec, home: TaskHome) {
    this.#plan = plan;
    this.#spec = spec;
    this.#home = home;
    this.#stage = plan.stages[spec.stage]!;
    this.#name = { job: plan.job, stage: spec.stage, task: spec.task };
  }

  async run(): Promise<TaskResult> {
    const { sample, task, from } = this.#spec;
    const sampled = sample === undefined ? undefined : intoSample(sample.size, sample.most);
    const terminal = sampled ?? this.#terminal();
    const { attempt, signal } = this.#home;
    const chain = new Chain({
      plan: this.#plan,
      stage: this.#stage,
      facts: { id: task, attempt, signal },
      terminal,
      input: 'input' in from ? from.input : 0,
      reading: this.#reading,
    });
    try {
      await chain.begin();
      await this.#feed(chain);
      await chain.end(false);
      if (sampled) return { kind: 'sample', keys: sampled.keys };
      signal.throwIfAborted();
      const bytes = terminal.end();
      for (const [name, n] of Object.entries(terminal.counts())) this.#tally.add(BUILT_IN, name, n);
      const own = [this.#stage.ops[0]!.step, this.#tally.counts] as const;
      const counters = [...chain.counters(), own];
      const engine = this.#checkpoint === undefined ? this.#home.engine : IN_CHECKPOINT;
      const done: TaskDone = { kind: 'done', engine, counters, records: terminal.records, bytes };
      await terminal.keep(done);
      return done;
    } catch (error) {
      await chain.end(true).catch(() => {});
      await terminal.drop();
      if (sampled && error instanceof Stop) return { kind: 'sample', keys: sampled.keys };
      throw error;
    }
  }

  /** Where its output goes, if it is for another stage. */
  get #checkpoint(): string | undefined {
    return this.#stage.writes === undefined ? undefined : this.#plan.checkpoint;
  }

  #terminal(): Terminal {
    const { job, steps, output, memory } = this.#plan;
    const { writes } = this.#stage;
    const { task } = this.#spec;
    if (writes === undefined && output) return intoParts(output, { part: task, attempt: this.#home.attempt });
    const checkpoint = this.#checkpoint;
    const keeper =
      checkpoint === undefined ? this.#home.store(job)!.keeper(this.#name) : checkpointKeeper(checkpoint, this.#name);
    if (writes === undefined) return ontoEngine(keeper);
    const step = steps[writes]!;
    const { attempt, signal } = this.#home;
    const facts = { id: task, attempt, signal, reading: this.#reading };
    const writer = new ShuffleWriter({
      step,
      partitioner: partitionerOf(step, this.#spec.cuts),
      compare: compareOf(step),
      shelf: keeper.shelf,
      buffer: memory * SHARE.buffer,
      context: (emit) => new Context({ phase: 'map', step: writes }, facts, emit, { tally: this.#tally }),
    });
    return intoShuffle(writer, keeper);
  }

  async #feed(chain: Chain): Promise<void> {
    const { from } = this.#spec;
    if (from.kind === 'split') await this.#feedSplit(chain, from.split);
    else if (from.kind === 'kept') await this.#feedKept(chain, from.engine, from.name);
    else await this.#feedGroups(chain, from.places);
  }

  async #feedSplit(chain: Chain, split: Parameters<typeof readBatches>[0]): Promise<void> {
    let bytes = 0;
    const reading = {
      signal: this.#home.signal,
      counter: (group: string, name: string, by?: number) => this.#tally.add(group, name, by),
      file: (path: string) => {
        this.#reading.file = path;
      },
      advance: (more: number) => {
        bytes += more;
        this.#home.progress(Math.min(bytes, split.bytes), split.bytes);
      },
    };
    for await (const batch of readBatches(split, reading)) await chain.records(batch);
    this.#tally.add(BUILT_IN, 'bytes read', bytes);
  }

  async #feedKept(chain: Chain, engine: number, name: OutputName): Promise<void> {
    const wanted = { job: name.job, stage: name.stage, partition: 0, places: [[engine, [name.task]]] as const };
    const { sources } = await fetchRuns(this.#home, wanted, () => {});
    for (const source of sources)
      for (let block = await source.next(); block; block = await source.next()) {
        const { keys, values } = decodeBlock(block);
        await chain.records(keys.map((key, i) => [key, values[i]]));
        this.#home.signal.throwIfAborted();
      }
  }

  async #feedGroups(chain: Chain, places: Parameters<typeof fetchRuns>[1]['places']): Promise<void> {
    const { job, memory } = this.#plan;
    const { stage, task } = this.#spec;
    const step = this.#stage.reads!;
    const reading = this.#plan.steps[step]!;
    let came = 0;
    let told = 0;
    let total = 0;
    const arrived = (bytes: number): void => {
      came += bytes;
      if (came - told < PACE) return;
      told = came;
      this.#home.progress(Math.min(came, total), total);
    };
    const wanted = { job, stage: stage - 1, partition: task, places };
    const fetchHome = { ...this.#home, checkpoint: this.#plan.checkpoint };
    const { sources, records, bytes, remote } = await fetchRuns(fetchHome, wanted, arrived);
    total = bytes;
    this.#tally.add(BUILT_IN, 'reduce records in', records);
    this.#tally.add(BUILT_IN, 'records shuffled', records);
    this.#tally.add(BUILT_IN, 'bytes shuffled', bytes);
    this.#tally.add(BUILT_IN, 'bytes from other engines', remote);
    const compare = compareOf(reading);
    const store = this.#home.store(job)!;
    const aside = store.aside();
    try {
      const merge = new Merge(compare);
      await merge.open(await this.#fewer(sources, compare, aside.shelf));
      const breath = new Breath(this.#home.signal);
      await eachGroup(merge, {
        sort: compare,
        group: reading.group ? checkedCompare('group', reading.group) : compare,
        memory: memory * SHARE.values,
        shelf: () => store.aside(),
        each(key, values) {
          const later = chain.group(key, values);
          if (later) return later;
          return breath.due ? breath.take() : undefined;
        },
      });
    } finally {
      aside.over();
    }
  }

  /** Merges them, a few at a time, until they are few enough to be merged at once. */
  async #fewer(sources: readonly BlockSource[], compare: Compare, shelf: Shelf): Promise<BlockSource[]> {
    let few: BlockSource[] = [];
    let left = [...sources];
    while (few.length + left.length > FACTOR) {
      // In their order, so that equal keys stay in theirs; and no more of them than must be.
      const part = left.splice(0, Math.min(FACTOR, few.length + left.length - FACTOR + 1));
      few.push(await this.#merged(part, compare, shelf));
      if (left.length) continue;
      left = few;
      few = [];
    }
    return [...few, ...left];
  }

  async #merged(sources: BlockSource[], compare: Compare, shelf: Shelf): Promise<BlockSource> {
    const breath = new Breath(this.#home.signal);
    const merge = new Merge(compare);
    await merge.open(sources);
    const filler = new RunFiller(shelf);
    for (let top = merge.top; top; top = merge.top) {
      filler.add(top.key, top.value);
      const later = merge.next();
      if (later) await later;
      if (breath.due) await breath.take();
    }
    const run = filler.end();
    this.#tally.add(BUILT_IN, 'bytes spilled', filler.writer.spilled);
    return blocksOf(run);
  }
}

/** Lets the engine see to others: reducers that fetch from here, e.g. */
class Breath {
  readonly #signal: AbortSignal;
  #last = performance.now();
  #looks = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get due(): boolean {
    return ++this.#looks % 64 === 0 && performance.now() - this.#last > BREATH;
  }

  async take(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal.throwIfAborted();
    this.#last = performance.now();
  }
}
