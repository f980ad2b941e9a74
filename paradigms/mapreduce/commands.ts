/**
 * External commands as mapper and reducer. Records go to their standard input, a line each; the lines that they print are what is
 * emitted: the key up to the first tab, the value behind it. A reducer gets lines in the order of their keys.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '../../core/index.ts';
import { BUILT_IN } from './counters.ts';
import type { JobSpec, TaskContext } from './types.ts';

export interface Commands {
  /** For the shell. */
  mapper?: string | undefined;
  /**
   * Makes few lines of many before they travel: it gets what the mapper of a task has printed, in the order of the keys, and prints lines
   * that the reducer reads in their place.
   */
  combiner?: string | undefined;
  reducer?: string | undefined;
}

/**
 * A job of them. A command that ends with another exit code than 0 fails its task, unless the code is 1 and it has printed nothing at
 * all, as grep does when it finds nothing.
 */
export function commands({ mapper, combiner, reducer }: Commands): JobSpec<string, string, string | undefined> {
  if (!mapper && !reducer) throw new UsageError('commands takes a mapper, a reducer, or both');
  if (combiner && !reducer)
    throw new UsageError('A combiner makes few records of many for the reducer, and there is none; name one');
  return {
    setup({ task, emit, signal, counter }) {
      const emitLine: Each = (line) => {
        emit(...pairIn(line));
        return undefined;
      };
      if (task.phase === 'reduce') return reducer ? new Filter(reducer, emitLine, signal) : undefined;
      if (combiner) return new Combined({ mapper, combiner }, emitLine, signal, counter);
      return mapper ? new Filter(mapper, emitLine, signal) : undefined;
    },
    map: (line, ctx) => through(ctx, line),
    ...(reducer && {
      async reduce(key, values, ctx) {
        for (const value of values) await through(ctx, value === undefined ? key : `${key}\t${value}`);
      },
    }),
    teardown: ({ state }) => state?.end(),
  };
}

/** Takes a line; there is room for further ones at once, or when the promise is settled. */
type Each = (line: string) => Promise<void> | undefined;

/** To the command; without one, onwards. */
function through({ state, emit }: Pick<TaskContext, 'state' | 'emit'>, line: string): Promise<void> | undefined {
  if (state) return state.write(line);
  const [key, value] = pairIn(line);
  emit(key, value);
  return undefined;
}

function pairIn(line: string): [key: string, value: string | undefined] {
  const tab = line.indexOf('\t');
  return tab < 0 ? [line, undefined] : [line.slice(0, tab), line.slice(tab + 1)];
}

/** Characters that go to a command at once. */
const CHUNK = 64 << 10;
/** Characters of what it has complained of. */
const COMPLAINTS = 2_000;

/** In what order it does not matter, as long as lines of one key stand together. */
const SORT = "LC_ALL=C sort -s -t '\t' -k 1,1";

/** A mapper whose lines go through a combiner when all of them are there. */
class Combined {
  readonly #filters: readonly Filter[];
  readonly #count: () => void;

  constructor(
    { mapper, combiner }: { mapper: string | undefined; combiner: string },
    each: Each,
    signal: AbortSignal,
    counter: TaskContext['counter'],
  ) {
    const count = { in: 0, out: 0 };
    const combining = new Filter(
      combiner,
      (line) => {
        count.out++;
        return each(line);
      },
      signal,
    );
    const sorting = new Filter(
      SORT,
      (line) => {
        count.in++;
        return combining.write(line);
      },
      signal,
    );
    const mapping = mapper ? [new Filter(mapper, (line) => sorting.write(line), signal)] : [];
    this.#filters = [...mapping, sorting, combining];
    this.#count = () => {
      counter(BUILT_IN, 'combine records in', count.in);
      counter(BUILT_IN, 'combine records out', count.out);
    };
  }

  write(line: string): Promise<void> | undefined {
    return this.#filters[0]!.write(line);
  }

  async end(): Promise<void> {
    try {
      for (const filter of this.#filters) await filter.end();
    } catch (error) {
      for (const filter of this.#filters) filter.kill();
      throw error;
    }
    this.#count();
  }
}

/** A command that runs, its lines and ours. */
class Filter {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<{ code: number | null; how: string | null }>;
  readonly kill: () => void;
  #text = '';
  #printed = false;
  #complaints = '';
  #failure: { error: unknown } | undefined;

  /** @param each gets the lines that it prints */
  constructor(command: string, each: Each, signal: AbortSignal) {
    this.#command = command;
    // A group of its own: what it has started ends with it.
    const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    const kill = (): void => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // it has ended
      }
    };
    this.kill = kill;
    const fail = (error: unknown): void => {
      this.#failure ??= { error };
      kill();
    };
    signal.addEventListener('abort', kill, { once: true });
    process.on('exit', kill);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    const lines = (text: string): void => {
      this.#printed = true;
      const all = (rest + text).split('\n');
      rest = all.pop()!;
      let later: Promise<void> | undefined;
      try {
        for (const line of all) later = each(line) ?? later;
      } catch (error) {
        fail(error);
      }
      if (!later) return;
      child.stdout!.pause();
      later.then(() => child.stdout!.resume(), fail);
    };
    child.stdout!.on('data', (bytes: Buffer) => lines(decoder.write(bytes)));
    child.stderr!.on('data', (bytes: Buffer) => {
      process.stderr.write(bytes);
      this.#complaints = (this.#complaints + bytes).slice(-COMPLAINTS);
    });
    // It may not want all of its input: its exit code says whether that is fine.
    child.stdin!.on('error', () => {});
    this.#closed = new Promise((resolve) => {
      child.on('error', fail);
      child.on('close', (code, how) => {
        signal.removeEventListener('abort', kill);
        process.off('exit', kill);
        if (rest) lines('\n');
        resolve({ code, how });
      });
    });
  }

  /** Undefined: at once. */
  write(line: string): Promise<void> | undefined {
    this.#text += `${line}\n`;
    return this.#text.length < CHUNK ? undefined : this.#send();
  }

  async #send(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    const { stdin } = this.#child;
    const text = this.#text;
    this.#text = '';
    if (!stdin!.writable || stdin!.write(text)) return;
    const drained = new Promise<void>((resolve) => stdin!.once('drain', resolve));
    await Promise.race([drained, this.#closed]);
  }

  async end(): Promise<void> {
    const { stdin } = this.#child;
    if (stdin!.writable) stdin!.end(this.#text);
    const { code, how } = await this.#closed;
    if (this.#failure) throw this.#failure.error;
    const silent = !this.#printed && this.#complaints === '';
    if (code === 0 || (code === 1 && silent)) return;
    const ended = how ? `ended by ${how}` : `exit code ${code}`;
    throw new Error(`${this.#command}: ${ended}${this.#complaints && `: ${this.#complaints.trim()}`}`);
  }
}
