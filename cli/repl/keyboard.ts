/**
 * What is typed, line by line: while something runs, it waits. Only Ctrl-C does not, and throws away what waits, as terminals do.
 */
import { Readable } from 'node:stream';

export interface KeyboardOptions {
  isBusy(): boolean;
  /** Ctrl-C; false: whoever reads may have it. */
  interrupt(): boolean;
}

const CTRL_C = '\u0003';
/** Up to the end of a line or a Tab, or a Ctrl-C alone. */
const PIECE = new RegExp(`^(?:${CTRL_C}|[^\\t\\r\\n${CTRL_C}]*[\\t\\r\\n]?)`);

export class Keyboard extends Readable {
  readonly isTTY = true;
  #terminal: NodeJS.ReadStream;
  #options: KeyboardOptions;
  #held = '';
  #ended = false;
  #scheduled = false;

  constructor(terminal: NodeJS.ReadStream, options: KeyboardOptions) {
    super({ encoding: 'utf8', read() {} });
    this.#terminal = terminal;
    this.#options = options;
    terminal.setEncoding('utf8');
    terminal.on('data', (typed: string) => this.#type(typed));
    terminal.on('end', () => {
      this.#ended = true;
      this.flow();
    });
  }

  get isRaw(): boolean {
    return this.#terminal.isRaw;
  }

  setRawMode(raw: boolean): this {
    this.#terminal.setRawMode(raw);
    return this;
  }

  /** Something is over: what waits may go on, a line (or a Ctrl-C) at a time, since each may start something. */
  flow(): void {
    if (this.#options.isBusy()) this.#interrupt();
    else if (!this.#scheduled) this.#pass();
  }

  #pass(): void {
    const unread = this.readableLength > 0;
    const [piece = ''] = unread ? [] : (PIECE.exec(this.#held) ?? []);
    this.#held = this.#held.slice(piece.length);
    if (piece && !(piece === CTRL_C && this.#options.interrupt())) this.push(piece);
    else if (!this.#held && this.#ended) {
      this.#ended = false;
      this.push(null);
    }
    if (!piece && !unread) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flow();
    });
  }

  #interrupt(): void {
    const at = this.#held.lastIndexOf(CTRL_C);
    if (at >= 0 && this.#options.interrupt()) this.#held = this.#held.slice(at + 1);
  }

  #type(typed: string): void {
    this.#held += typed;
    this.flow();
  }
}
