/** Progress of what takes its time: a bar each, with rate and remaining time, for as long as it runs. */
import type { AsyncResult } from '../../core/client/async-result.ts';
import type { Progress } from '../../core/conversation.ts';
import { ranges } from '../ranges.ts';

/** ms that something runs before it gets a bar. */
const PATIENCE = 2_000;
const EVERY = 200;
const WIDTH = 24;
/** More would push the prompt around. */
const MOST = 5;

interface Watched {
  result: AsyncResult<any>;
  since: number;
  progress: Map<number, Progress>;
}

export class Bars {
  #watched = new Set<Watched>();
  #draw: (bars: readonly string[]) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(draw: (bars: readonly string[]) => void) {
    this.#draw = draw;
  }

  follow(result: AsyncResult<any>): void {
    const watched: Watched = { result, since: performance.now(), progress: new Map() };
    this.#watched.add(watched);
    const subscription = result.progress$.subscribe((progress) => watched.progress.set(progress.engine, progress));
    this.#timer ??= setInterval(() => this.#update(), EVERY).unref();
    result.call.whenDone(() => {
      subscription.unsubscribe();
      this.#watched.delete(watched);
      if (this.#watched.size === 0) this.close();
      else this.#update();
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw([]);
  }

  #update(): void {
    const now = performance.now();
    const long = [...this.#watched].filter(({ since }) => now - since >= PATIENCE);
    this.#draw(long.slice(0, MOST).map((watched) => barOf(watched, now)));
  }
}

function barOf({ result, since, progress }: Watched, now: number): string {
  const seconds = (now - since) / 1_000;
  const head = `[${ranges(result.targets, ',')}]`;
  const reports = [...progress.values()];
  // Of those that have not reported yet the average is expected.
  const share = result.targets.length / Math.max(1, reports.length);
  const total = reports.every((one) => one.total !== undefined) ? sum(reports, 'total') * share : 0;
  const done = sum(reports, 'done');
  if (total > 0) return `${head} ${bar(done / total)} ${rate(done / seconds)}, ${left(done, total, seconds)}`;
  if (done > 0) return `${head} ${count(done)}, ${rate(done / seconds)}, ${duration(seconds)}`;
  const parts = result.call.parts;
  const ended = parts.filter(({ state }) => state !== 'pending').length;
  const failed = parts.filter(({ state }) => state === 'failed').length;
  const told = `${ended - failed} of ${parts.length} engines done${failed ? `, ${failed} failed` : ''}`;
  return parts.length > 1
    ? `${head} ${bar(ended / parts.length)} ${told}, ${duration(seconds)}`
    : `${head} running, ${duration(seconds)}`;
}

function sum(reports: readonly Progress[], field: 'done' | 'total'): number {
  return reports.reduce((all, one) => all + (one[field] ?? 0), 0);
}

function bar(part: number): string {
  const full = Math.max(0, Math.min(WIDTH, Math.round(part * WIDTH)));
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${String(Math.floor(Math.min(1, part) * 100)).padStart(3)} %`;
}

function left(done: number, total: number, seconds: number): string {
  return done > 0 ? `ETA ${duration(Math.max(0, (seconds * (total - done)) / done))}` : 'ETA unknown';
}

function rate(perSecond: number): string {
  return `${count(perSecond)}/s`;
}

function count(n: number): string {
  return Number(n.toPrecision(3)).toLocaleString('en');
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
