/** Stack traces as users should see them: their own frames, without those of the engine that called them. */
import { withInnerErrors } from '../inner-errors.ts';

/** In the bundled program: how the addresses of the engine's own files begin; all of the engine is in them. */
const OWN = import.meta.url.replace(/[\w-]+\.mjs$/, 'engine-');
const SCAFFOLD =
  /\[console\]|\[tutti\]|tutti:door|eval \(<anonymous>\)|at <anonymous>$|node:internal\/process|node:async_hooks|node:vm/;

/** Deep enough that the engine's frames at the bottom do not push out the user's. */
export function keepDeepStacks(): void {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 50);
}

/** Cuts the stack of an error (and of its causes, and of what it is made of) where the engine begins. */
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
  const first = lines.findIndex((line) => line.includes(OWN) && /^\s+at /.test(line));
  const kept = first < 0 ? lines : lines.slice(0, first);
  while (kept.length > 1 && SCAFFOLD.test(kept.at(-1)!)) kept.pop();
  if (kept.length < lines.length) error.stack = kept.join('\n');
}
