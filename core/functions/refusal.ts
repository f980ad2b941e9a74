import { CannotTravelError } from '../errors.ts';

const STEP = ' → captured variable ';

/** Where a captured variable sits: the path of the function that captures it, and its name. */
export function capturedPath(path: string, name: string): string {
  return `${path}${STEP}'${name}'`;
}

/**
 * The error for something that cannot travel: which variable, captured by which function, why, and what to do instead.
 * `what` describes the thing, e.g. `native code`.
 */
export function refusal(path: string, name: string, what: string, advice: string, cause?: unknown): CannotTravelError {
  const [root, ...captured] = path.split(STEP);
  const last = captured.length - 1;
  const trail = captured.map(
    (c, i) => `${i ? ', a function which' : ' it'} captures ${c}${i === last ? `, ${what}` : ''}`,
  );
  const subject = `function ${name ? `'${name}'` : ''}`.trim();
  const message = captured.length
    ? `cannot send the function at ${root}:${trail.join('')}. ${advice}`
    : `cannot send ${subject} at ${root}: it is ${what}. ${advice}`;
  return new CannotTravelError(message, path, cause === undefined ? undefined : { cause });
}
