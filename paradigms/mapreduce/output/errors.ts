/** What goes wrong with what a job writes. */
import { registerErrorClass, TuttiError } from '../../../core/index.ts';

export class OutputError extends TuttiError {
  override readonly code: string = 'OUTPUT';
  readonly path: string;
  constructor(message: string, path: string, options?: { cause?: unknown }) {
    super(message, options);
    this.path = path;
  }
}
/** The folder has something in it already. Nothing in it was touched. */
export class OutputExistsError extends OutputError {
  override readonly code: string = 'OUTPUT_EXISTS';
}

for (const one of [OutputError, OutputExistsError]) registerErrorClass(one);

export function outputError(path: string, doing: string, error: unknown): OutputError {
  if (error instanceof OutputError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'there is no space left on this disk. Free some, or write elsewhere; what this job has written there is removed'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'no permission'
        : message;
  return new OutputError(`Cannot ${doing} ${path}: ${why}`, path, { cause: error });
}
