/**
 * External commands as mapper and reducer. Records go to their standard input, a line each; the lines that they print are what is
 * emitted: the key up to the first tab, the value behind it. A reducer gets lines in the order of their keys.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '../../core/index.ts';
import type { JobSpec, TaskContext } from './types.ts';

export interface Commands {
  /** For the shell. */
  mapper?: string | undefined;
  reducer?: string | undefined;
}

/**
 * A job of them. A command that ends with another exit code than 0 fails its task, unless the code is 1 and it has printed nothing at
 * all, as grep does when it finds nothing.
 */
export function commands({ mapper, reducer }: Commands): JobSpec<string, string, string | undefined> {
  if (!mapper && !reducer) throw new UsageError('commands takes a mapper, a reducer, or both');
  return {
    setup({ task, emit, signal }) {
      const command = task.phase === 'map' ? mapper : reducer;
      return command ? new Filter(command, emit, signal) : undefined;
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

/** A command that runs, its lines and ours. */
class Filter {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<{ code: number | null; how: string | null }>;
  #text = '';
  #printed = false;
  #complaints = '';
  #failure: { error: unknown } | undefined;

  constructor(command: string, emit: (key: string, value: string | undefined) => void, signal: AbortSignal) {
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
      try {
        for (const line of all) emit(...pairIn(line));
      } catch (error) {
        fail(error);
      }
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
