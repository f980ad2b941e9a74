/** The folder in which what tasks have made outlives a job that does not come to its end. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decode, encode, UsageError } from '../../../core/index.ts';
import type { Cuts, TaskDone } from '../messages.ts';
import type { Plan } from '../plan.ts';
import { readCheckpoint } from '../task/checkpoint.ts';
import type { TaskRun } from './stage-run.ts';

/** Says which job the folder belongs to. */
const LABEL = 'job.json';
const OURS = /^(job\.json|\d+-\d+\.runs|\d+\.cuts|tutti-mapreduce-[\w-]+)$/;

export class Checkpoint {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes the folder, or finds it as the same job has left it. True: that was there.
   * @param code stands for the functions, @param tasks of the first stage, for the input
   * @throws UsageError when it is that of another job, or has other things in it
   */
  async open({ steps }: Plan, code: string, tasks: readonly TaskRun[]): Promise<boolean> {
    const shape = steps.map(({ reducers, partition }) => [reducers, partition === 'range']);
    const input = tasks.map(({ input: given }) => (given?.kind === 'split' ? given.split : 'kept'));
    const hash = createHash('sha256').update(JSON.stringify(shape)).update(code);
    for (const part of encode(input).parts) hash.update(part);
    const job = hash.digest('hex');
    await mkdir(this.#folder, { recursive: true });
    const label = path.join(this.#folder, LABEL);
    const known = await readFile(label, 'utf8').catch(() => undefined);
    if (known !== undefined && JSON.parse(known).job !== job)
      throw new UsageError(
        `The checkpoint ${this.#folder} is that of another job, or of this one with other code, options or input. Remove it, or name another folder`,
      );
    const [strange] = (await readdir(this.#folder)).filter((name) => !OURS.test(name));
    if (known === undefined && strange !== undefined)
      throw new UsageError(
        `The checkpoint ${this.#folder} is not empty: there is ${strange} in it. Name another folder`,
      );
    await writeFile(label, `${JSON.stringify({ job })}\n`);
    return known !== undefined;
  }

  /** Has a job left something there? */
  async exists(): Promise<boolean> {
    return (await readFile(path.join(this.#folder, LABEL)).catch(() => undefined)) !== undefined;
  }

  /** What is there of a task. */
  done(stage: number, task: number): TaskDone | undefined {
    return readCheckpoint(this.#folder, { stage, task })?.done;
  }

  /** Cuts of a range partition must be the same for all tasks. */
  async cuts(stage: number, make: () => Promise<Cuts>): Promise<Cuts> {
    const file = path.join(this.#folder, `${stage}.cuts`);
    const known = await readFile(file).catch(() => undefined);
    if (known) return decode({ codec: 'msgpack', parts: [known] }) as Cuts;
    const cuts = await make();
    const { parts } = encode(cuts);
    if (parts.length === 1) await writeFile(file, parts[0]!);
    return cuts;
  }

  /** The job is done. */
  async remove(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) if (OURS.test(name)) await rm(path.join(this.#folder, name), { force: true });
    await rmdir(this.#folder).catch(() => {});
  }
}
