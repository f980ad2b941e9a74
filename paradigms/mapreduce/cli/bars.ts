/** Lines on a terminal that say how far map, shuffle and reduce are. */
import type { JobProgress, PhaseProgress } from '../types.ts';

const WIDTH = 24;

export class Bars {
  readonly #stream: NodeJS.WriteStream;
  #lines = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show({ phases, elapsed, left }: JobProgress): void {
    const several = phases.filter(({ phase }) => phase === 'map').length > 1 || phases.length > 2;
    const lines = phases.flatMap((phase) => linesOf(phase, elapsed, several));
    lines.push(`${seconds(elapsed)} s${left === undefined ? '' : `, about ${seconds(left)} s left`}`);
    const columns = (this.#stream.columns ?? 80) - 1;
    this.#clear();
    this.#stream.write(lines.map((line) => `${line.slice(0, columns)}\n`).join(''));
    this.#lines = lines.length;
  }

  clear(): void {
    this.#clear();
    this.#lines = 0;
  }

  #clear(): void {
    if (this.#lines) this.#stream.write(`\u001b[${this.#lines}A\u001b[J`);
  }
}

function linesOf(
  { step, phase, tasks, done, bytes, totalBytes }: PhaseProgress,
  elapsed: number,
  several: boolean,
): string[] {
  const of = several ? ` ${step}` : '';
  const rate = bytes ? ` ${megabytes(bytes / Math.max(elapsed / 1e3, 1e-3))} MB/s` : '';
  const amount = `${megabytes(bytes)} of ${megabytes(totalBytes)} MB`;
  const counted = `${done} of ${tasks} tasks`;
  const byBytes = totalBytes ? bytes / totalBytes : 0;
  if (phase === 'map')
    return [line(`map${of}`, totalBytes ? byBytes : part(done, tasks), `${amount}${rate}, ${counted}`)];
  return [line(`shuffle${of}`, byBytes, amount), line(`reduce${of}`, part(done, tasks), counted)];
}

function line(name: string, share: number, what: string): string {
  const bar = '#'.repeat(Math.round(Math.min(1, share) * WIDTH)).padEnd(WIDTH);
  return `${name.padEnd(10)} [${bar}] ${(100 * Math.min(1, share)).toFixed(0).padStart(3)} % ${what}`;
}

const part = (done: number, all: number): number => (all ? done / all : 0);
const seconds = (ms: number): string => (ms / 1e3).toFixed(ms < 10_000 ? 1 : 0);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
