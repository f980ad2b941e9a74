/** One line a job that has ended, and what a run that was cut off has done already: known by content, not by line number. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';

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

export class Joblog implements Disposable {
  readonly file: string;
  /** How often each job is done: input may have the same one twice. */
  readonly #done = new Map<string, number>();
  /** How many of its jobs were asked for again. */
  met = 0;
  #text: string;
  #fd: number | undefined;

  /** Reads what is there. Throws UsageError for what is no joblog, and for one that is not to be gone on with. */
  constructor(file: string, resume: boolean) {
    this.file = file;
    this.#text = read(file);
    if (!this.#text.trim()) return;
    const [header, ...lines] = this.#text.split('\n');
    if (`${header}\n` !== HEADER)
      throw new UsageError(`${file} is no joblog of tutti farm; its first line is another one`);
    if (!resume) throw new UsageError(`The joblog ${file} is there already; go on with --resume, or remove it`);
    for (const line of lines) {
      const [, key, , , , exit, signal, command] = line.split('\t');
      // Of a line that was cut off in the middle nothing is known.
      if (key && exit === '0' && !signal && command !== undefined) this.#done.set(key, (this.#done.get(key) ?? 0) + 1);
    }
  }

  /** For writing. */
  open(): this {
    try {
      this.#fd = openSync(this.file, 'a');
    } catch (cause) {
      throw new UsageError(`--joblog: cannot write to ${this.file}: ${(cause as Error).message}`, { cause });
    }
    if (!this.#text.trim()) writeSync(this.#fd, HEADER);
    else if (!this.#text.endsWith('\n')) writeSync(this.#fd, '\n');
    return this;
  }

  /** True: it was done before, and is not to be done again. */
  isDone(key: string): boolean {
    const left = this.#done.get(key);
    if (!left) return false;
    this.#done.set(key, left - 1);
    this.met++;
    return true;
  }

  /** It has finished jobs, and none of them was asked for. */
  get isStrange(): boolean {
    return this.#done.size > 0 && !this.met;
  }

  /** At once: what is cut off in the next moment is not done again. */
  write({ seq, key, engine, started, ms, exit, signal, command }: Line): void {
    const text = command.replaceAll(/[\t\n]/g, ' ');
    writeSync(this.#fd!, `${[seq, key, engine, started, Math.round(ms), exit, signal, text].join('\t')}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new UsageError(`--joblog: cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
