/** Distinct keys of one type in their order, in pieces short enough to be cut open at once. */
export type Key = number | string | bigint;

const PIECE = 512;

export class SortedKeys {
  #pieces: Key[][];

  /** They need not be in order. */
  constructor(keys: Key[]) {
    // Not the default order, which is that of texts.
    keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.#pieces = [];
    for (let i = 0; i < keys.length; i += PIECE / 2) this.#pieces.push(keys.slice(i, i + PIECE / 2));
  }

  add(key: Key): void {
    if (!this.#pieces.length) this.#pieces.push([]);
    const at = Math.min(this.#pieceOf(key), this.#pieces.length - 1);
    const piece = this.#pieces[at]!;
    piece.splice(position(piece, key), 0, key);
    if (piece.length > PIECE) this.#pieces.splice(at + 1, 0, piece.splice(PIECE / 2));
  }

  remove(key: Key): void {
    const at = this.#pieceOf(key);
    const piece = this.#pieces[at];
    const i = piece ? position(piece, key) : 0;
    if (piece?.[i] !== key) return;
    piece.splice(i, 1);
    if (!piece.length) this.#pieces.splice(at, 1);
  }

  /** From `low` to `high`, both included where they are given. */
  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    let at = low === undefined ? 0 : this.#pieceOf(low);
    let i = low === undefined || at === this.#pieces.length ? 0 : position(this.#pieces[at]!, low);
    for (; at < this.#pieces.length; at++, i = 0) {
      for (const piece = this.#pieces[at]!; i < piece.length; i++) {
        if (high !== undefined && piece[i]! > high) return;
        yield piece[i]!;
      }
    }
  }

  /** The first piece whose last key is not before this one. */
  #pieceOf(key: Key): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pieces[middle]!.at(-1)! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function position(piece: readonly Key[], key: Key): number {
  let low = 0;
  let high = piece.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (piece[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
