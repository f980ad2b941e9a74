/** A terminal: what is shown goes above the prompt and the bars, which are drawn anew below it. */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { PrintedLines } from '../../core/client/echo.ts';
import type { Look } from '../display/value.ts';
import { coloured } from '../output.ts';
import type { Screen } from './screen.ts';

/** The line that is being typed. */
export interface Typing {
  /** Rows between the start of the prompt and the cursor. */
  rows(): number;
  draw(): void;
}

const COLOURS = [36, 33, 35, 32, 34, 31];

export class TerminalScreen implements Screen {
  readonly terminal = true;
  #out: NodeJS.WriteStream;
  #bars: readonly string[] = [];
  #drawn: readonly string[] = [];
  /** Absent while something runs: nothing is asked for then. */
  #typing: Typing | undefined;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get look(): Look {
    return { colours: coloured(this.#out), width: this.#out.columns || 80 };
  }

  show(text: string): void {
    this.#above(`${text}\n`);
  }

  tell(text: string): void {
    this.#above(`${text}\n`);
  }

  output({ engine, stream, lines }: PrintedLines): void {
    const { colours } = this.look;
    const label = colours ? `\u001b[${COLOURS[engine % COLOURS.length]}m[${engine}]\u001b[39m` : `[${engine}]`;
    const text = (line: string): string => (colours && stream === 'stderr' ? `\u001b[31m${line}\u001b[39m` : line);
    this.#above(lines.map((line) => `${label} ${text(line)}\n`).join(''));
  }

  /** Text of a program's own, which need not end with a line. */
  write(text: string): void {
    this.#above(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** From now on there is a prompt below all else. */
  prompted(typing: Typing): void {
    this.#typing = typing;
  }

  /** `text`, prompt and all, was entered: it stays, and the bars above it go. */
  entered(text: string): void {
    if (!this.#typing) return;
    this.#typing = undefined;
    if (!this.#drawn.length) return;
    const rows = Math.floor(text.length / (this.#out.columns || 80)) + 1;
    moveCursor(this.#out, 0, -rows);
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#drawBars();
  }

  /** They are drawn again below what comes. */
  dropBars(): void {
    if (!this.#drawn.length) return;
    this.#erase();
    this.#typing?.draw();
  }

  bars(bars: readonly string[]): void {
    this.#bars = bars;
    if (!bars.length && !this.#drawn.length) return;
    this.#erase();
    this.#draw();
  }

  #above(text: string): void {
    this.#erase();
    this.#out.write(text);
    this.#draw();
  }

  #erase(): void {
    if (!this.#drawn.length && !this.#typing) return;
    const columns = this.#out.columns || 80;
    // Since they were drawn the terminal may have become narrower.
    const bars = this.#drawn.reduce((rows, bar) => rows + Math.max(1, Math.ceil(bar.length / columns)), 0);
    const rows = bars + (this.#typing?.rows() ?? 0);
    if (rows) moveCursor(this.#out, 0, -rows);
    cursorTo(this.#out, 0);
    clearScreenDown(this.#out);
    this.#drawn = [];
  }

  #draw(): void {
    this.#drawBars();
    this.#typing?.draw();
  }

  #drawBars(): void {
    const columns = this.#out.columns || 80;
    this.#drawn = this.#bars.map((bar) => bar.slice(0, columns - 1));
    for (const bar of this.#drawn) this.#out.write(`${bar}\n`);
  }
}
