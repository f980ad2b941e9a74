/** What goes wrong with what a job reads. */
import { registerErrorClass, TuttiError } from '../../../core/index.ts';

/** A file that is not there, cannot be read, has changed, or holds what its format does not allow. Trying again does not help. */
export class InputError extends TuttiError {
  override readonly code: string = 'INPUT';
  readonly path: string | undefined;
  /** Counted from 1. */
  readonly line: number | undefined;
  /** Of the file, or of what it is unpacked to; counted from 0. */
  readonly byte: number | undefined;
  constructor(
    message: string,
    where: { path?: string; line?: number; byte?: number } = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.path = where.path;
    this.line = where.line;
    this.byte = where.byte;
  }
}

registerErrorClass(InputError);

/** Thrown by parsers, which know neither file nor line, and made an InputError by those who read. */
export class Misfit extends Error {
  readonly byte: number;
  /** Newlines between `byte` and the line that does not fit; undefined where there are no lines. */
  readonly linesOn: number | undefined;
  constructor(what: string, where: { byte: number; linesOn?: number }, options?: { cause?: unknown }) {
    super(what, options);
    this.byte = where.byte;
    this.linesOn = where.linesOn;
  }
}

export function fileError(path: string, doing: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT'
      ? 'it is not there (any more). Engines read files themselves: each needs the same files under the same paths'
      : code === 'EACCES' || code === 'EPERM'
        ? 'no permission'
        : message;
  return new InputError(`Cannot ${doing} ${path}: ${why}`, { path }, { cause: error });
}
