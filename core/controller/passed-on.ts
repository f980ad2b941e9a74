/** How far what an engine's tasks tell has been passed on, and who waits for it: results come another way. */

interface Waiting {
  readonly end: number;
  readonly then: (lost: boolean) => void;
}

export class PassedOn {
  #end = 0;
  /** By how far. */
  #waiting: Waiting[] = [];

  upTo(end: number): void {
    if (!(end > this.#end)) return;
    this.#end = end;
    let due = 0;
    while (due < this.#waiting.length && !(this.#waiting[due]!.end > end)) due++;
    if (due) for (const { then } of this.#waiting.splice(0, due)) then(false);
  }

  /** What has not come will not, and nobody waits for it, until it is known how far it is (`from`). */
  broken(): void {
    this.upTo(Number.POSITIVE_INFINITY);
  }

  /** It begins anew, and what was before it is all there is. */
  from(end: number): void {
    this.#end = 0;
    this.upTo(end);
  }

  /** The engine is gone. */
  lost(): void {
    this.#end = Number.POSITIVE_INFINITY;
    for (const { then } of this.#waiting.splice(0)) then(true);
  }

  /** Calls back at once where nothing is to come. */
  when(end: number, then: (lost: boolean) => void): void {
    if (!(end > this.#end)) {
      then(false);
      return;
    }
    let at = this.#waiting.length;
    while (at && this.#waiting[at - 1]!.end > end) at--;
    this.#waiting.splice(at, 0, { end, then });
  }
}
