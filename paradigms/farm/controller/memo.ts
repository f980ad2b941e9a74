/** Results by what was computed: a task with the same function and arguments takes what another one has made, or is making. */
import { createHash } from 'node:crypto';
import type { Run } from './outcomes.ts';
import type { Task } from './task.ts';

/** What is remembered: so many results, and bytes. */
const MOST = { results: 10_000, bytes: 64 << 20 };

const NOBODY: readonly Task[] = [];

export class Memo {
  #results = new Map<string, Run>();
  #bytes = 0;
  #making = new Map<string, Task[]>();

  /** The result, if it is known; 'waits': the same is being computed, and this one will be told. */
  look(task: Task): Run | 'waits' | undefined {
    const name = nameOf(task);
    if (name === undefined) return undefined;
    task.extra.memo = name;
    const known = this.#results.get(name);
    if (known) return known;
    const others = this.#making.get(name);
    if (others) {
      others.push(task);
      return 'waits';
    }
    this.#making.set(name, []);
    return undefined;
  }

  /** Those that have waited for it. A failure is theirs, too; what stays on an engine is not remembered. */
  made(task: Task, run: Run, good: boolean): readonly Task[] {
    const name = task.more?.memo;
    if (name === undefined) return NOBODY;
    const others = this.#making.get(name) ?? NOBODY;
    this.#making.delete(name);
    if (good && !this.#results.has(name) && run.bytes <= MOST.bytes) {
      const { value } = run;
      const own =
        value && value.source instanceof Uint8Array
          ? { source: value.source.slice(value.from, value.from + value.size), from: 0, size: value.size }
          : value;
      this.#results.set(name, { ...run, value: own });
      this.#bytes += run.bytes;
      for (const [oldest, { bytes }] of this.#results) {
        if (this.#results.size <= MOST.results && this.#bytes <= MOST.bytes) break;
        this.#results.delete(oldest);
        this.#bytes -= bytes;
      }
    }
    return others;
  }
}

/** Undefined where it depends on results of others, which have no content here. */
function nameOf({ fn, source, from, size }: Task): string | undefined {
  const hash = createHash('sha256');
  hash.update(fn.parcel.code.join());
  for (const part of fn.parcel.payload.parts) hash.update(part);
  if (source instanceof Uint8Array) hash.update(source.subarray(from, from + size));
  else {
    if (source.waitsFor.length) return undefined;
    hash.update(source.code.join());
    for (const part of source.payload.parts) hash.update(part);
  }
  return hash.digest('base64');
}
