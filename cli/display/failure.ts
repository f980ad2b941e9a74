/** Errors as a console shows them: once, with the engines that they are of, the user's line and the user's frames. */
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { CompositeError, RemoteError, TuttiError } from '../../core/errors.ts';
import { innerErrors } from '../../core/inner-errors.ts';
import { FRAME, homeward, isOurs } from '../../core/places.ts';
import { ranges } from '../ranges.ts';
import { excerptOf } from './excerpt.ts';
import { labelled } from './grouped.ts';
import type { Look } from './value.ts';

/** Frames of Node, of the engine's program and of the console say nothing to the user. */
const SCAFFOLD = /\(?node:|\/entry\/engine-[\w-]+\.mjs:|\[console\]|\[tutti\]|at <anonymous>$|eval \(<anonymous>\)$/;
const FILE = /\(?((?:file:\/\/)?\/[^\s():]*):\d+:\d+\)?$/;
const MOST_CAUSES = 5;
/** Of errors that are made of others: how many of these are shown, and how deep. */
const MOST_INNER = 10;
const DEEPEST = 3;

export function failureText(error: unknown, look: Look): string {
  const all = error instanceof CompositeError ? error.errors : [error];
  const engines = new Map<string, number[]>();
  for (const one of all) {
    const text = describe(one, look);
    const engine = (one as { engine?: unknown } | null)?.engine;
    engines.set(text, [...(engines.get(text) ?? []), ...(typeof engine === 'number' && engine >= 0 ? [engine] : [])]);
  }
  return [...engines].map(([text, ids]) => (ids.length ? labelled(ids, text, look.colours) : text)).join('\n');
}

/** One error, without saying where it comes from. */
export function describe(error: unknown, look: Look, depth = 0): string {
  if (!(error instanceof Error)) return `threw ${inspect(error, { colors: look.colours })}`;
  const head = headOf(error);
  const title = look.colours ? head.replace(/^[^\n]*/, (line) => `\u001b[31m${line}\u001b[39m`) : head;
  // Where it was compiled, the message shows the place already.
  if (error instanceof SyntaxError && 'line' in error) return title;
  const lines = placeOf(error);
  const rest = [...innerOf(error, look, depth), ...causesOf(error, look, depth, lines.length > 0)];
  return [title, ...lines, ...rest].join('\n');
}

const headOf = (error: Error): string => `${error.name}: ${error.message}`;

/** The user's line, and the user's frames. */
export function placeOf(error: Error): string[] {
  const stack =
    error instanceof RemoteError
      ? error.remoteStack
      : error instanceof TuttiError
        ? ''
        : homeward(error.stack ?? '').stack;
  const frames = stack.split('\n').filter(isUsers);
  const excerpt = excerptIn(frames);
  const lines = excerpt ? excerpt.split('\n').map((line) => `    ${line}`) : [];
  // The caret says where; a lone frame would only repeat it.
  const told = excerpt && frames.length === 1 && /at eval \(/.test(frames[0]!) ? [] : frames;
  return [...lines, ...told];
}

/** A package's code is rarely what its user can change. */
function excerptIn(frames: readonly string[]): string | undefined {
  const own = frames.filter((frame) => !frame.includes('/node_modules/'));
  for (const frame of own.length ? own : frames) {
    const excerpt = excerptOf(frame);
    if (excerpt !== undefined) return excerpt;
  }
  return undefined;
}

function isUsers(line: string): boolean {
  if (!FRAME.test(line) || SCAFFOLD.test(line)) return false;
  const file = FILE.exec(line)?.[1];
  return file === undefined || !isOurs(file.startsWith('file:') ? file : pathToFileURL(file).href);
}

/** What it is made of; equal ones once, by their places. */
function innerOf(error: Error, look: Look, depth: number): string[] {
  // That of several engines lists them in its message.
  if (error instanceof CompositeError) return [];
  const all = innerErrors(error);
  if (depth === DEEPEST && all.length) return [`  of ${all.length} errors`];
  const places = new Map<string, number[]>();
  for (const [i, one] of all.slice(0, MOST_INNER).entries()) {
    const text = describe(one, look, depth + 1);
    places.set(text, [...(places.get(text) ?? []), i + 1]);
  }
  const more = all.length - MOST_INNER;
  return [
    ...[...places].flatMap(([text, at]) => indented(`${ranges(at, ',')} of ${all.length}: ${text}`)),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}

/** Of the first of them that has one the place is shown, unless one has been shown. */
function causesOf(error: Error, look: Look, depth: number, placed: boolean): string[] {
  const causes: string[] = [];
  const seen = new Set<unknown>([error]);
  let above = headOf(error);
  for (let { cause } = error; cause !== undefined && !seen.has(cause); cause = (cause as Error | null)?.cause) {
    if (seen.size > MOST_CAUSES) return [...causes, '… and more causes'];
    seen.add(cause);
    const head = cause instanceof Error ? headOf(cause) : inspect(cause);
    // Some say already what they were caused by.
    if (!above.endsWith(head)) causes.push(`caused by ${head}`);
    above = head;
    if (!(cause instanceof Error)) continue;
    const lines = placed ? [] : placeOf(cause);
    placed ||= lines.length > 0;
    causes.push(...lines, ...innerOf(cause, look, depth + 1));
  }
  return causes;
}
