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

  /** Something is over: what waits may go on. */
  flow(): void {
    if (this.#scheduled || this.#options.isBusy()) return;
    const end = this.#held.search(/[\r\n]/) + 1 || this.#held.length;
    if (end > 0) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end);
      this.push(line);
    } else if (this.#ended) this.push(null);
    if (!this.#held && !this.#ended) return;
    // The line may have started something by then.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#held || this.#ended) this.flow();
    });
  }

  #type(typed: string): void {
    const at = typed.lastIndexOf(CTRL_C);
    if (at >= 0 && this.#options.interrupt()) {
      this.#held = typed.slice(at + 1);
    } else this.#held += typed;
    this.flow();
  }
}
