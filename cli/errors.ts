/** From an error to what is printed of it, and to the exit code. */
import {
  CancelledError,
  CompositeError,
  EngineLostError,
  InterruptedError,
  InvalidTargetError,
  NotOnStackError,
  RemoteError,
  TuttiError,
  UsageError,
  ValueLostError,
} from '../core/errors.ts';
import { INTERRUPTED } from './interruption.ts';
import { prefixed, printJson, say } from './output.ts';

const LOOK = { colours: false, width: 80 };

/** Code that engines were to run (or its compiler) failed. */
export class ScriptError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CancelledError || error instanceof InterruptedError) return INTERRUPTED;
  if (error instanceof UsageError || error instanceof InvalidTargetError) return 2;
  if (error instanceof RemoteError || error instanceof EngineLostError || error instanceof ValueLostError) return 1;
  if (error instanceof NotOnStackError) return 1;
  if (error instanceof TuttiError) return 3;
  if (!(error instanceof CompositeError)) return 1;
  const codes = new Set(error.errors.map(exitCodeOf));
  return codes.size === 1 ? [...codes][0]! : 1;
}

/** Tells the user, on stderr (with `json` also as a document on stdout); returns the exit code. */
export async function report(error: unknown, json: boolean): Promise<number> {
  const code = exitCodeOf(error);
  if (json) printJson({ error: document(error) });
  if (error instanceof CompositeError || error instanceof RemoteError || error instanceof EngineLostError) {
    for (const text of await remoteErrors(error instanceof CompositeError ? error.errors : [error]))
      process.stderr.write(text);
  } else if (error instanceof TuttiError || error instanceof ScriptError) say(`tutti: ${error.message}`);
  else if (error instanceof SyntaxError && 'line' in error) say(`SyntaxError: ${error.message}`);
  else say(error instanceof Error ? await thrownHere(error) : `tutti: ${String(error)}`);
  return code;
}

/** By code of the user's, if there are frames of it; else it is for whoever looks after tutti. */
async function thrownHere(error: Error): Promise<string> {
  const { describe, placeOf } = await import('./display/failure.ts');
  return placeOf(error).length ? describe(error, LOOK) : (error.stack ?? String(error));
}

/** Each distinct error once, with the engines that it happened on. */
async function remoteErrors(errors: readonly Error[]): Promise<string[]> {
  const { describe } = await import('./display/failure.ts');
  const engines = new Map<string, number[]>();
  for (const error of errors) {
    const text = error instanceof RemoteError ? describe(error, LOOK) : error.message;
    engines.set(text, [...(engines.get(text) ?? []), (error as RemoteError).engine]);
  }
  return [...engines].map(([text, ids]) =>
    prefixed(ids.some((id) => id === undefined) ? 'tutti' : ids.join(','), text, process.stderr),
  );
}

function document(error: unknown): object {
  const { name, message, code, engine, remoteStack } = error as Partial<RemoteError>;
  const errors = error instanceof CompositeError ? error.errors.map(document) : undefined;
  return { name, ...(typeof code === 'string' && { code }), message, engine, stack: remoteStack, errors };
}
