/** What was typed: code for here, code for the engines, or a command of the console. */
import { prepare } from '../../core/console/index.ts';

export type Entry =
  | { kind: 'nothing' }
  | { kind: 'here'; code: string }
  /** `later`: it is not waited for. */
  | { kind: 'engines'; code: string; later: boolean }
  | { kind: 'command'; name: string; rest: string };

export type CodeEntry = Extract<Entry, { code: string }>;

/** A number such as .5, and a chain that goes on with .then( from the line before, are no commands. */
const COMMAND = /^\s*\.([a-z]+)(?:[ \t]+(.*))?$/s;
const ENGINES = /^\s*%%?/;
/** As in a shell. No code ends like that. */
const LATER = /(?<!&)&\s*$/;

export function entryOf(text: string, autopx: boolean): Entry {
  if (!text.trim()) return { kind: 'nothing' };
  const [, name, rest] = COMMAND.exec(text.trimEnd()) ?? [];
  if (name !== undefined) return { kind: 'command', name, rest: rest?.trim() ?? '' };
  // Positions in what fails are those of the line as it was typed.
  const code = text.replace(ENGINES, (sign) => ' '.repeat(sign.length));
  if (code === text && !autopx) return { kind: 'here', code };
  return enginesEntry(code);
}

export function enginesEntry(code: string): Entry & { kind: 'engines' } {
  return { kind: 'engines', code: code.replace(LATER, ''), later: LATER.test(code) };
}

/** Does it need more lines? Code that is wrong does not. */
export function isUnfinished(text: string, autopx: boolean): boolean {
  const entry = entryOf(text, autopx);
  if (entry.kind === 'nothing') return false;
  if (entry.kind === 'command') return entry.name === 'px' && endsEarly(enginesEntry(entry.rest).code);
  return endsEarly(entry.code);
}

const UNFINISHED = /end of file|to terminate multi-line comment/;

function endsEarly(code: string): boolean {
  try {
    prepare(code);
    return false;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return false;
    if (UNFINISHED.test(error.message)) return true;
    // Of a template, too, it says that it is a string; but only a template may go on in the next line.
    return error.message.startsWith('Unterminated string') && !code.endsWith('`') && closesWith('`', code);
  }
}

function closesWith(end: string, code: string): boolean {
  try {
    prepare(code + end);
    return true;
  } catch (error) {
    return error instanceof SyntaxError && UNFINISHED.test(error.message);
  }
}
