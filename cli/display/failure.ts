/** Errors as a console shows them: once, with the engines that they are of, the user's line and the user's frames. */
import { inspect } from 'node:util';
import { CompositeError, RemoteError, TuttiError } from '../../core/errors.ts';
import { excerptOf } from './excerpt.ts';
import { labelled } from './grouped.ts';
import type { Look } from './value.ts';

/** Frames of Node, of the engine's program and of the console say nothing to the user. */
const SCAFFOLD = /\(?node:|\/entry\/engine-[\w-]+\.mjs:|\[console\]|\[tutti\]|at <anonymous>$|eval \(<anonymous>\)$/;
const OWN = new URL('../../', import.meta.url).pathname;
const MOST_CAUSES = 5;

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

function describe(error: unknown, look: Look): string {
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
  return [title, ...lines, ...told, ...causesOf(error)].join('\n');
}

function isUsers(line: string): boolean {
  return /^\s+at /.test(line) && !SCAFFOLD.test(line) && !line.includes(OWN);
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let { cause } = error; cause !== undefined && causes.length < MOST_CAUSES; cause = (cause as Error)?.cause)
    causes.push(`caused by ${cause instanceof Error ? `${cause.name}: ${cause.message}` : inspect(cause)}`);
  return causes;
}
