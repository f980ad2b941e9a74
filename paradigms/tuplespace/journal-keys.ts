/**
 * Where in the store things lie: `space/NAME`; of the space's tuples, by their numbers, `tuple/SPACE/FIRST+COUNT` for those that were
 * written together, and `tuple/SPACE/FIRST!` for what has become of them since.
 */
export const SPACES = 'space/';

const DIGITS = 11; // in base 36, all that a number counts up to
const RECORD = '+';
const NOTES = '!'; // before any record's, so that they are read first

export interface Place {
  readonly first: number;
  /** Of a record. */
  readonly count: number | undefined;
}

export const tuplesOf = (space: number): string => `tuple/${space.toString(36)}/`;

export function recordKey(prefix: string, first: number, count: number): string {
  return `${prefix}${digits(first)}${RECORD}${count.toString(36)}`;
}

export function notesKey(prefix: string, first: number): string {
  return prefix + digits(first) + NOTES;
}

export function placeOf(key: string, prefix: string): Place {
  const first = Number.parseInt(key.slice(prefix.length, prefix.length + DIGITS), 36);
  const rest = key.slice(prefix.length + DIGITS);
  return { first, count: rest === NOTES ? undefined : Number.parseInt(rest.slice(RECORD.length), 36) };
}

const digits = (seq: number): string => seq.toString(36).padStart(DIGITS, '0');
