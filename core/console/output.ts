/** A stretch of output and where it was taken from; length 0: inserted text, which belongs to the place `from`. */
export interface Piece {
  at: number;
  from: number;
  length: number;
}

interface Edit {
  from: number;
  to: number;
  text: string;
}

/** New text made of stretches of an old one, which remembers where each came from. */
export interface Output {
  readonly code: string;
  readonly pieces: Piece[];
  /** Appends text that is not in the source; positions in it lead to `from`. */
  text(text: string, from: number): void;
  /** Appends `source[from, to)` as it is. */
  copy(from: number, to: number): void;
  /** Notes a change that `copyEdited` will make. Edits at one place keep the order of their calls. */
  replace(from: number, to: number, text: string): void;
  /** Appends the whole source with every noted change. */
  copyEdited(): void;
}

export function createOutput(source: string): Output {
  let code = '';
  const pieces: Piece[] = [];
  const edits: Edit[] = [];
  const output: Output = {
    get code() {
      return code;
    },
    pieces,
    text(text, from) {
      pieces.push({ at: code.length, from, length: 0 });
      code += text;
    },
    copy(from, to) {
      pieces.push({ at: code.length, from, length: to - from });
      code += source.slice(from, to);
    },
    replace(from, to, text) {
      edits.push({ from, to, text });
    },
    copyEdited() {
      let done = 0;
      for (const edit of edits.sort((a, b) => a.from - b.from)) {
        output.copy(done, edit.from);
        output.text(edit.text, edit.from);
        done = edit.to;
      }
      output.copy(done, source.length);
    },
  };
  return output;
}

/** The place in the source that an offset of the output came from. */
export function sourceOffset(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.at <= offset) low = middle + 1;
    else high = middle;
  }
  const piece = pieces[low - 1];
  return piece ? piece.from + Math.min(offset - piece.at, piece.length) : 0;
}
