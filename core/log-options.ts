/** Which log a cluster gets: one of the caller's own, or lines of a level, a format, and a place. */
import path from 'node:path';
import { UsageError } from './errors.ts';
import type { Logger } from './log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogOptions {
  /** The least of what is written. Default: that of the environment variable TUTTI_LOG; else `info` for a file, `warn` for stderr. */
  level?: LogLevel | undefined;
  /** Default: `pretty` on a terminal, `json` (one document a line) elsewhere. */
  format?: LogFormat | undefined;
  /** Written to instead of stderr; appended to when it is there. */
  file?: string | undefined;
}

/** A user's own logger is given everything, debug too; what it does not want it drops. */
export type LogWish = Logger | LogLevel | LogOptions;

/** @throws UsageError for half a logger */
export function isLogger(wish: LogWish | undefined): wish is Logger {
  if (typeof wish !== 'object' || wish === null || !('info' in wish)) return false;
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    if (typeof wish[level] !== 'function')
      throw new UsageError(`A Logger has ${level}(message, fields); this one lacks it`);
  }
  return true;
}

/** @throws UsageError for what is neither */
export function logOptions(wish: LogLevel | LogOptions | undefined): LogOptions & { level: LogLevel } {
  const options = typeof wish === 'object' && wish !== null ? wish : { level: wish };
  for (const name of Object.keys(options)) {
    if (name !== 'level' && name !== 'format' && name !== 'file')
      throw new UsageError(`log has no option '${name}'; its options: level, format, file (or give a Logger)`);
  }
  const { file } = options;
  if (file !== undefined && (typeof file !== 'string' || !file)) throw new UsageError('log.file is the path of a file');
  if (options.format !== undefined) oneOf('log.format', LOG_FORMATS, options.format);
  const level = options.level ?? levelOfEnvironment() ?? (file === undefined ? 'warn' : 'info');
  return {
    ...options,
    level: oneOf('log', LOG_LEVELS, level),
    ...(file !== undefined && { file: path.resolve(file) }), // of the program that asks, wherever the controller runs
  };
}

export function levelOfEnvironment(): LogLevel | undefined {
  const level = process.env.TUTTI_LOG;
  return level ? oneOf('TUTTI_LOG', LOG_LEVELS, level) : undefined;
}

export function oneOf<T extends string>(what: string, known: readonly T[], given: unknown): T {
  if (known.includes(given as T)) return given as T;
  throw new UsageError(
    `${what} is one of ${known.join(', ')}; got ${typeof given === 'string' ? `'${given}'` : typeof given}`,
  );
}
