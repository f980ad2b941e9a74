/** One line a job that has ended, and what a run that was cut off has done already: known by content, not by line number. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { UsageError } from '../../core/index.ts';

const HEADER = 'seq\tkey\tengine\tstarted\tms\texit\tsignal\tcommand\n';

export interface Line {
  seq: number;
  key: string;
  engine: number;
  started: number;
  ms: number;
  exit: number;
  signal: string;
  command: string;
}

export function keyOf(command: string): string {
  return createHash('sha256').update(command).digest('hex').slice(0, 16);
}

export class Joblog {
  #file: string;
  /** How often each job is done: input may have the same one twice. */
  readonly #done = new Map<string, number>();
  #met = 0;

  constructor(file: string, resume: boolean) {
    this.#file = file;
    if (existsSync(file) && readFileSync(file, 'utf8').trim()) {
      const [header, ...lines] = readFileSync(file, 'utf8').split('\n');
      if (`${header}\n` !== HEADER)
        throw new UsageError(`${file} is no joblog of tutti farm; its first line is another one`);
      if (!resume) throw new UsageError(`The joblog ${file} is there already; go on with --resume, or remove it`);
      for (const line of lines) {
        const [, key, , , , exit, signal] = line.split('\t');
        if (key && exit === '0' && !signal) this.#done.set(key, (this.#done.get(key) ?? 0) + 1);
      }
    } else appendFileSync(file, HEADER);
  }

  /** True: it was done before, and is not to be done again. */
  isDone(key: string): boolean {
    const left = this.#done.get(key);
    if (!left) return false;
    this.#done.set(key, left - 1);
    this.#met++;
    return true;
  }

  /** How many of its jobs were not in this input; and were, if any. */
  get strange(): { done: number; met: number } {
    return { done: [...this.#done.values()].reduce((sum, n) => sum + n, 0), met: this.#met };
  }

  /** At once: what is cut off in the next moment is not done again. */
  write({ seq, key, engine, started, ms, exit, signal, command }: Line): void {
    const text = command.replaceAll(/[\t\n]/g, ' ');
    appendFileSync(this.#file, `${[seq, key, engine, started, Math.round(ms), exit, signal, text].join('\t')}\n`);
  }
}
