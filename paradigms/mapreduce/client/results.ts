/** Reads what tasks of the last stage have left on their engines: part after part, in order. */
import { decodeBlock } from '../records/block.ts';
import { fetchRuns, Starved } from '../task/fetch.ts';
import type { Driver } from './driver.ts';
import type { Runner } from './runner.ts';
import type { TaskRun } from './stage-run.ts';

export type Pair = [key: any, value: any];

/** Nobody: it reads from all. */
const NO_ENGINE = -1;

export interface ResultsHome {
  readonly job: string;
  readonly driver: Driver;
  readonly runner: Runner;
  readonly signal: AbortSignal;
}

/** As its parts are done. What is lost while it is read is made again, and read on from where it was. */
export async function* readResults(home: ResultsHome): AsyncGenerator<Pair[]> {
  for (let index = 0; ; index++) {
    const task = await home.driver.part(index);
    if (!task) return;
    yield* readPart(home, task);
  }
}

async function* readPart(home: ResultsHome, task: TaskRun): AsyncGenerator<Pair[]> {
  const { driver } = home;
  let read = 0;
  for (;;) {
    const { done } = task;
    try {
      for await (const pairs of partAsOf(home, task)) {
        read += pairs.length;
        if (pairs.length) yield pairs;
      }
      return;
    } catch (error) {
      if (!(error instanceof Starved)) throw error;
      await driver.restore(driver.last, task, done);
    }
  }

  async function* partAsOf({ job, runner, signal }: ResultsHome, { id, done }: TaskRun): AsyncGenerator<Pair[]> {
    const { elsewhere } = runner;
    const stage = driver.last.index;
    const fetchHome = { engine: NO_ENGINE, store: () => undefined, elsewhere, signal };
    const places = [[done!.engine, [id]]] as const;
    const { sources } = await fetchRuns(fetchHome, { job, stage, partition: 0, places }, () => {});
    let skip = read;
    for (const source of sources)
      for (let block = await source.next(); block; block = await source.next()) {
        const { keys, values } = decodeBlock(block);
        const from = Math.min(skip, keys.length);
        skip -= from;
        yield keys.slice(from).map((key, i): Pair => [key, values[from + i]]);
      }
  }
}
