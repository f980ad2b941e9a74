/** Stack traces as users should see them: their own frames, without those of the engine that called them. */
import { withInnerErrors } from '../inner-errors.ts';
import { FRAME, isOurFrame } from '../places.ts';

const SCAFFOLD =
  /\[console\]|\[tutti\]|tutti:door|eval \(<anonymous>\)|at <anonymous>(?::\d+:\d+)?$|node:internal\/process|node:async_hooks|node:vm/;
/** Of Node, or of the language: below code of the user's it belongs to whoever called that. */
const BELOW = /\(?node:|\(<anonymous>\)$|at async Promise\.\w+ \(index \d+\)$/;

/** Deep enough that the engine's frames at the bottom do not push out the user's. */
export function keepDeepStacks(): void {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 50);
}

/**
 * Takes the engine's frames out of the stack of an error (and of its causes, and of what it is made of): those that called the user's,
 * and those that he called.
 */
export function cutStack(error: unknown): void {
  try {
    for (const one of withInnerErrors(error)) cut(one);
  } catch {
    // an error with getters that throw, or a frozen one, keeps its long stack
  }
}

function cut(error: Error): void {
  const { stack } = error;
  if (typeof stack !== 'string') return;
  const lines = stack.split('\n');
  const top = lines.findIndex((line) => FRAME.test(line));
  if (top < 0) return;
  const within = lines.some(isOurFrame);
  let end = lines.length;
  while (end > top && (SCAFFOLD.test(lines[end - 1]!) || (within && isBelow(lines[end - 1]!)))) end--;
  let start = top;
  while (start < end && isOurFrame(lines[start]!)) start++;
  if (start === top && end === lines.length) return;
  error.stack = [...lines.slice(0, top), ...lines.slice(start, end)].join('\n');
}

function isBelow(line: string): boolean {
  return BELOW.test(line) || isOurFrame(line);
}
