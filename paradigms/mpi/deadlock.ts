/** When does nothing go on any more, and never will? */
import { DeadlockError } from './errors.ts';
import type { Snapshot } from './shared-memory.ts';

/**
 * Looks at all ranks again and again. When all of them wait, have not got on since the last look, and no frame is between them,
 * nothing can wake any of them.
 */
export class Detector {
  #last: number[] | undefined;

  /** What each waits for, once that is certain. */
  look(snapshots: readonly Snapshot[]): string[] | undefined {
    const last = this.#last;
    this.#last = undefined;
    if (snapshots.some(({ state }) => state === 'running')) return undefined;
    if (snapshots.every(({ state }) => state === 'gone')) return undefined;
    const between = snapshots.reduce((sum, { sent, received }) => (sum + sent - received) | 0, 0);
    if (between !== 0) return undefined;
    const epochs = snapshots.map(({ epoch }) => epoch);
    this.#last = epochs;
    if (!last || epochs.some((epoch, rank) => epoch !== last[rank])) return undefined;
    return snapshots.map(({ text }, rank) => `rank ${rank} ${text}`);
  }
}

export function deadlock(waits: readonly string[]): DeadlockError {
  const shown = waits.length > 20 ? [...waits.slice(0, 20), `and ${waits.length - 20} more`] : waits;
  return new DeadlockError(`Deadlock: every rank waits, and nothing is on its way:\n  ${shown.join('\n  ')}`, waits);
}

/** What keeps a rank busy beside its messages: timers, files, requests to others. The engine's own are there from the start. */
export function pendingWork(): number {
  const own = new Set(['PipeWrap', 'MessagePort', 'TTYWrap', 'Immediate']);
  return process.getActiveResourcesInfo().filter((kind) => !own.has(kind)).length;
}
