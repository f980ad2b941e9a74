/** Who has the lock of a mutex, and who waits for it: for it itself, or to be notified of a condition before. */
import { RankLostError } from '../errors.ts';
import { type Asker, type Keeper, withdrawal } from './kept.ts';

export type MonitorQuestion =
  | { do: 'acquire'; wait: boolean }
  | { do: 'release' }
  | { do: 'locked' }
  /** Gives the lock up until it is notified, and has it again. */
  | { do: 'wait'; condition: number }
  | { do: 'notify'; condition: number; count: number };

interface Waiting {
  readonly asker: Asker;
  /** What it is told when it has the lock. */
  readonly value: boolean;
  /** It gave the lock up in a wait, and must have it again. */
  readonly returns: boolean;
}

export class Monitor implements Keeper<MonitorQuestion> {
  #holder: number | undefined;
  #queue: Waiting[] = [];
  readonly #conditions = new Map<number, Asker[]>();
  #broken: Error | undefined;

  asked(question: MonitorQuestion, asker: Asker): void {
    if (this.#broken) {
      asker.refuse(this.#broken);
      return;
    }
    switch (question.do) {
      case 'acquire':
        if (this.#holder !== undefined && !question.wait) asker.answer(false);
        else this.#enqueue({ asker, value: true, returns: false });
        return;
      case 'release':
        this.#release();
        asker.answer();
        return;
      case 'locked':
        asker.answer(this.#holder !== undefined);
        return;
      case 'wait':
        this.#waitingFor(question.condition).push(asker);
        this.#release();
        return;
      case 'notify': {
        const notified = this.#waitingFor(question.condition).splice(0, question.count);
        for (const waiter of notified) this.#enqueue({ asker: waiter, value: true, returns: true });
        asker.answer(notified.length);
      }
    }
  }

  withdrawn(asker: Asker): void {
    for (const waiting of this.#conditions.values()) {
      const at = waiting.indexOf(asker);
      if (at < 0) continue;
      waiting.splice(at, 1);
      this.#enqueue({ asker, value: false, returns: true });
      return;
    }
    const at = this.#queue.findIndex((waiting) => waiting.asker === asker && !waiting.returns);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    asker.refuse(withdrawal('acquire'));
  }

  lost(rank: number, why: Error): void {
    const others = ({ rank: other }: Asker): boolean => other !== rank;
    this.#queue = this.#queue.filter(({ asker }) => others(asker));
    for (const [id, waiting] of this.#conditions) this.#conditions.set(id, waiting.filter(others));
    if (this.#holder !== rank) return;
    this.#broken = new RankLostError(
      `${why.message} It held the mutex, so nobody knows how it has left what that protects`,
      rank,
    );
    const askers = [...this.#queue.splice(0).map(({ asker }) => asker), ...[...this.#conditions.values()].flat()];
    this.#conditions.clear();
    for (const asker of askers) asker.refuse(this.#broken);
  }

  #enqueue(waiting: Waiting): void {
    this.#queue.push(waiting);
    if (this.#holder === undefined) this.#next();
  }

  #release(): void {
    this.#holder = undefined;
    this.#next();
  }

  #next(): void {
    const first = this.#queue.shift();
    if (!first) return;
    this.#holder = first.asker.rank;
    first.asker.answer(first.value);
  }

  #waitingFor(condition: number): Asker[] {
    let waiting = this.#conditions.get(condition);
    if (!waiting) this.#conditions.set(condition, (waiting = []));
    return waiting;
  }
}
