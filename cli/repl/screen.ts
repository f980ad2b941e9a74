/** Where the console shows things. */
import type { PrintedLines } from '../../core/client/echo.ts';
import type { Look } from '../display/value.ts';

export interface Screen {
  readonly look: Look;
  /** Somebody types, with Node's line editing. */
  readonly terminal: boolean;
  /** Values, tables, help. */
  show(text: string): void;
  /** Errors, and what the console itself has to say. */
  tell(text: string): void;
  /** What engines print. */
  output(printed: PrintedLines): void;
}

/** Of stdout and stderr as they are: for pipes. */
export function plainScreen(): Screen {
  return {
    look: { colours: false, width: 80 },
    terminal: false,
    show: (text) => void process.stdout.write(`${text}\n`),
    tell: (text) => void process.stderr.write(`${text}\n`),
    output({ engine, stream, lines }) {
      process[stream].write(lines.map((line) => `[${engine}] ${line}\n`).join(''));
    },
  };
}
