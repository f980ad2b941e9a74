/** Somebody's place in a line. */
export interface Place<T> {
  readonly of: T;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** First come, first served; joining, being served and leaving from anywhere cost the same however long it is. */
export class Line<T> {
  #first: Place<T> | undefined = undefined;
  #last: Place<T> | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  join(of: T): Place<T> {
    const place: Place<T> = { of, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  /** Takes the first out of the line; undefined if there is none. */
  next(): T | undefined {
    const first = this.#first;
    if (first) this.leave(first);
    return first?.of;
  }

  /** Only for a place that is still in this line. */
  leave(place: Place<T>): void {
    if (place.before) place.before.after = place.after;
    else this.#first = place.after;
    if (place.after) place.after.before = place.before;
    else this.#last = place.before;
    this.#size--;
  }
}
