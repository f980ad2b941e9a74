/** Equal keys of a merge, with their values. */
import { MapReduceError } from '../errors.ts';
import type { Compare } from './keys.ts';
import type { Merge } from './merge.ts';
import { type Run, RunFiller, type Shelf } from './run.ts';
import { Scale } from './size.ts';
import { type Values, ValuesInMemory, ValuesOnDisk } from './values.ts';

export interface GroupOptions {
  /** Which keys belong together. */
  readonly group: Compare;
  /** In which order they come. */
  readonly sort: Compare;
  /** Bytes of one key's values that may be in memory. */
  readonly memory: number;
  /** Takes those that are too many, until `over`. */
  shelf(): { shelf: Shelf; over(): void };
  each(key: unknown, values: Values<unknown>): PromiseLike<unknown> | undefined;
}

/** Values between two looks at how many they are. */
const LOOK = 256;

export async function eachGroup(merge: Merge, { group, sort, memory, shelf, each }: GroupOptions): Promise<void> {
  for (let top = merge.top; top; top = merge.top) {
    const { key } = top;
    const gathered = new Gathered(memory, shelf);
    let last = key;
    for (let same = true; same; ) {
      gathered.add(top.value);
      const later = merge.next();
      if (later) await later;
      top = merge.top;
      if (!top) break;
      const order = sort(last, top.key);
      if (order > 0) throw inconsistent();
      last = top.key;
      same = group === sort ? order === 0 : group(key, last) === 0;
    }
    try {
      const later = each(key, gathered.end());
      if (later) await later;
    } finally {
      gathered.over();
    }
  }
}

function inconsistent(): MapReduceError {
  return new MapReduceError(
    'Keys did not come in order: the job’s `sort` says one thing now and another then. It must order any two keys, always ' +
      'the same way: sort(a, b) < 0 where sort(b, a) > 0',
  );
}

/** Values of one key: in memory as long as they are few. */
class Gathered {
  readonly #memory: number;
  readonly #shelf: GroupOptions['shelf'];
  #values: unknown[] = [];
  #scale: Scale | undefined;
  #bytes = 0;
  #weighed = 0;
  #filler: RunFiller | undefined;
  #drop: (() => void) | undefined;

  constructor(memory: number, shelf: GroupOptions['shelf']) {
    this.#memory = memory;
    this.#shelf = shelf;
  }

  add(value: unknown): void {
    if (this.#filler) this.#filler.add(undefined, value);
    else if (this.#values.push(value) - this.#weighed === LOOK) this.#weigh();
  }

  end(): Values<unknown> {
    const run: Run | undefined = this.#filler?.end();
    return run ? new ValuesOnDisk(run) : new ValuesInMemory(this.#values);
  }

  over(): void {
    this.#drop?.();
  }

  #weigh(): void {
    this.#scale ??= new Scale();
    for (; this.#weighed < this.#values.length; this.#weighed++)
      this.#bytes += this.#scale.weigh(this.#values[this.#weighed]);
    if (this.#bytes <= this.#memory) return;
    const { shelf, over } = this.#shelf();
    this.#drop = over;
    this.#filler = new RunFiller(shelf);
    for (const value of this.#values) this.#filler.add(undefined, value);
    this.#values = [];
  }
}
