/** Stack traces in the lines of whoever wrote the code, as far as this process knows them: of what was sent from here. */

/** In a text of the user's. Line and column count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
  /** The text, if it is still there. */
  text(): string | undefined;
}

/** Whose place of a stack trace it is: the user's, ours (which says nothing to him), or it is not known. */
export type Found = Place | 'ours' | undefined;
export type Finder = (url: string, line: number, column: number) => Found;

const finders: Finder[] = [];

/** Leads from what engines call a text to where it was written. */
export function registerFinder(finder: Finder): void {
  finders.push(finder);
}

/** Of a text that is a module itself nothing is known. */
const ROOT = /^(?:data|blob):/.test(import.meta.url) ? undefined : new URL('../', import.meta.url).href;
const OURS = /^(?:main\.|(?:core|transports|paradigms|cli|entry|browser|parts)\/)/;
const FILE = /(?:file:\/\/)?(\/[^\s():]+):\d+:\d+\)?$/;
/** On other machines, too, wherever they lie there. */
const ENGINE = /\/entry\/engine-[\w-]+\.mjs$/;

/** Is this file a part of tutti? */
export function isOurs(url: string): boolean {
  if (ENGINE.test(url)) return true;
  return ROOT !== undefined && url.startsWith(ROOT) && OURS.test(url.slice(ROOT.length));
}

/** Is this line of a stack trace about a part of tutti? */
export function isOurFrame(line: string): boolean {
  const file = FILE.exec(line)?.[1];
  return file !== undefined && isOurs(`file://${file}`);
}

export function findPlace(url: string, line: number, column: number): Found {
  if (isOurs(url)) return 'ours';
  for (const find of finders) {
    const found = find(url, line, column);
    if (found) return found;
  }
  return undefined;
}

export interface Homeward {
  stack: string;
  /** The line of the user's that it is about, with a caret under the place. */
  excerpt: string | undefined;
}

export const FRAME = /^\s+at /;
const PLACE = /((?:tutti|file):\/\/\/[^\s():]+):(\d+):(\d+)/g;
/** What is left below frames of ours belongs to them. */
const BELOW =
  /\(?node:|\(<anonymous>\)$|at <anonymous>(?::\d+:\d+)?$|Promise\.\w+ \(index \d+\)|tutti:door|\[console\]|\[tutti/;
/** Frames of different stacks; all failures of one place have the same ones. */
const KEPT = 256;
const known = new Map<string, { frames: string[]; ours: boolean; excerpt: string | undefined }>();

/**
 * A stack trace from an engine in the user's own files, lines and columns, without frames of ours. Where all of them are, they are
 * kept, unless `ours` says that the error is one that we have made and whose message says all.
 */
export function homeward(stack: string, ours = false): Homeward {
  if (!stack.includes(':///')) return { stack, excerpt: undefined };
  const lines = stack.split('\n');
  const first = lines.findIndex((line) => FRAME.test(line));
  if (first < 0) return { stack, excerpt: undefined };
  const frames = lines.slice(first);
  const key = frames.join('\n');
  let led = known.get(key);
  if (!led) {
    led = lead(frames);
    known.set(key, led);
    if (known.size > KEPT) known.delete(known.keys().next().value!);
  }
  const kept = led.ours && !ours ? frames : led.frames;
  return { stack: [...lines.slice(0, first), ...kept].join('\n'), excerpt: led.excerpt };
}

function lead(frames: readonly string[]) {
  const kept: string[] = [];
  const places: Place[] = [];
  for (const frame of frames) {
    let ours = false;
    const line = frame.replaceAll(PLACE, (whole, url, line, column) => {
      const found = findPlace(url, Number(line), Number(column));
      ours ||= found === 'ours';
      if (found === undefined || found === 'ours') return whole;
      places.push(found);
      return `${found.file}:${found.line}:${found.column}`;
    });
    if (!ours) kept.push(line);
  }
  if (kept.length < frames.length) while (kept.length && BELOW.test(kept.at(-1)!)) kept.pop();
  // A package's code is rarely what its user can change.
  const place = places.find(({ file }) => !file.includes('/node_modules/')) ?? places[0];
  const text = place?.text();
  return {
    frames: kept,
    ours: kept.length === 0,
    excerpt: text === undefined ? undefined : excerptAt(text, place!.line, place!.column),
  };
}

/** Of a longer line, the part around the caret. */
const ROOM = 100;

/** A line of a text, and a caret under a place in it; undefined where there is nothing to see. Line and column count from 1. */
export function excerptAt(text: string, line: number, column: number): string | undefined {
  const shown = text.split('\n')[line - 1]?.replace(/\r$/, '').replaceAll('\t', ' ');
  const at = column - 1;
  if (!shown?.trim() || at > shown.length) return undefined;
  const from = shown.length > ROOM ? Math.max(0, at - ROOM / 2) : shown.search(/\S/);
  return `${shown.slice(from, from + ROOM)}\n${' '.repeat(Math.max(0, at - from))}^`;
}
