/** Errors as a console shows them: once, with the engines that they are of, the user's line and the user's frames. */
import { inspect } from 'node:util';
import { CompositeError, RemoteError, TuttiError } from '../../core/errors.ts';
import { innerErrors } from '../../core/inner-errors.ts';
import { ranges } from '../ranges.ts';
import { excerptOf } from './excerpt.ts';
import { labelled } from './grouped.ts';
import type { Look } from './value.ts';

/** Frames of Node, of the engine's program and of the console say nothing to the user. */
const SCAFFOLD = /\(?node:|\/entry\/engine-[\w-]+\.mjs:|\[console\]|\[tutti\]|at <anonymous>$|eval \(<anonymous>\)$/;
const OWN = new URL('../../', import.meta.url).pathname;
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

function describe(error: unknown, look: Look, depth = 0): string {
  if (!(error instanceof Error)) return `threw ${inspect(error, { colors: look.colours })}`;
  const head = `${error.name}: ${error.message}`;
  const title = look.colours ? head.replace(/^[^\n]*/, (line) => `\u001b[31m${line}\u001b[39m`) : head;
  // Where it was compiled, the message shows the place already.
  if (error instanceof SyntaxError && 'line' in error) return title;
  const stack =
    error instanceof RemoteError ? error.remoteStack : error instanceof TuttiError ? '' : (error.stack ?? '');
  const frames = stack.split('\n').filter(isUsers);
  const excerpt = frames.map(excerptOf).find((text) => text !== undefined);
  const lines = excerpt ? excerpt.split('\n').map((line) => `    ${line}`) : [];
  // The caret says where; a lone frame would only repeat it.
  const told = excerpt && frames.length === 1 && /at eval \(/.test(frames[0]!) ? [] : frames;
  return [title, ...lines, ...told, ...innerOf(error, look, depth), ...causesOf(error, look, depth)].join('\n');
}

function isUsers(line: string): boolean {
  return /^\s+at /.test(line) && !SCAFFOLD.test(line) && !line.includes(OWN);
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

function causesOf(error: Error, look: Look, depth: number): string[] {
  const causes: string[] = [];
  const seen = new Set<unknown>([error]);
  for (let { cause } = error; cause !== undefined && !seen.has(cause); cause = (cause as Error | null)?.cause) {
    if (seen.size > MOST_CAUSES) return [...causes, '… and more causes'];
    seen.add(cause);
    if (cause instanceof Error)
      causes.push(`caused by ${cause.name}: ${cause.message}`, ...innerOf(cause, look, depth + 1));
    else causes.push(`caused by ${inspect(cause)}`);
  }
  return causes;
}
