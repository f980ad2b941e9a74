/** A section that the ranks of a communicator enter one after the other, in rank order, round after round. */
import type { Comm } from '../comm.ts';
import { MpiError, RankLostError } from '../errors.ts';
import { derived, type Request } from '../request.ts';
import { type Held, whileHeld } from './held.ts';
import { type Asker, type Keeper, Kept } from './kept.ts';

type Question = 'begin' | 'end';

export class Sequential implements AsyncDisposable {
  readonly #kept: Kept<Question>;
  #state: 'outside' | 'waiting' | 'inside' = 'outside';

  /** @internal */
  static async open(comm: Comm, home = 0): Promise<Sequential> {
    return new Sequential(await Kept.open(comm, 'sequence', home, (size) => new Turns(size)));
  }

  private constructor(kept: Kept<Question>) {
    this.#kept = kept;
  }

  /** Waits until all ranks before this one have ended theirs. @throws RankLostError when one is gone whose turn it is */
  begin(): Request<Held> {
    if (this.#state !== 'outside') throw new MpiError(`begin: rank ${this.#kept.comm.rank} has begun already`);
    const request = this.#kept.ask('begin', 'begin');
    this.#state = 'waiting';
    request.whenSettled(() => {
      this.#state = request.failed ? 'outside' : 'inside';
    });
    return derived(request, () => ({
      [Symbol.asyncDispose]: async () => {
        if (this.#state === 'inside') await this.end();
      },
    }));
  }

  end(): Request<void> {
    if (this.#state !== 'inside')
      throw new MpiError(`end: rank ${this.#kept.comm.rank} is not in its turn; begin it first`);
    this.#state = 'outside';
    return this.#kept.ask('end', 'end');
  }

  async run<T>(section: () => T | PromiseLike<T>): Promise<T> {
    return whileHeld(this.begin(), section);
  }

  /** Collective. */
  free(): Promise<void> {
    return this.#kept.free();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.free();
  }
}

class Turns implements Keeper<Question> {
  readonly #size: number;
  readonly #waiting = new Map<number, Asker>();
  readonly #gone = new Map<number, Error>();
  /** Whose turn it is, or will be when it comes. */
  #turn = 0;
  #broken: Error | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  asked(question: Question, asker: Asker): void {
    if (this.#broken) asker.refuse(this.#broken);
    else if (question === 'begin') {
      this.#waiting.set(asker.rank, asker);
      this.#look();
    } else {
      this.#turn = (this.#turn + 1) % this.#size;
      asker.answer();
      this.#look();
    }
  }

  /** Nobody withdraws from his turn. */
  withdrawn(): void {}

  lost(rank: number, why: Error): void {
    this.#waiting.delete(rank);
    this.#gone.set(rank, why);
    this.#look();
  }

  #look(): void {
    const why = this.#gone.get(this.#turn);
    if (why) {
      this.#broken = new RankLostError(`${why.message} It was its turn in the sequence`, this.#turn);
      for (const asker of this.#waiting.values()) asker.refuse(this.#broken);
      this.#waiting.clear();
      return;
    }
    const next = this.#waiting.get(this.#turn);
    if (!next) return;
    this.#waiting.delete(this.#turn);
    next.answer();
  }
}
