/** A cluster's log: opened with it, closed with it, and without any work below its level. */
import { closeSync, openSync } from 'node:fs';
import { UsageError } from './errors.ts';
import { type Logger, silentLogger } from './log.ts';
import { isLogger, LOG_LEVELS, type LogWish, logOptions } from './log-options.ts';
import { pinoLogger } from './log-pino.ts';
import { redacting } from './log-redaction.ts';

const STDERR = 2;

export interface Log {
  readonly logger: Logger;
  close(): void;
}

export function openLog(wish: LogWish | undefined): Log {
  if (isLogger(wish)) return { logger: redacting(wish), close: () => {} };
  const { level, format, file } = logOptions(wish);
  if (level === 'silent') return { logger: silentLogger, close: () => {} };
  const fd = file === undefined ? STDERR : openFile(file);
  const terminal = fd === STDERR && process.stderr.isTTY === true;
  let sink: Logger | undefined;
  let closed = false;
  const open = (): Logger => {
    if (closed) return silentLogger;
    return (sink ??= redacting(pinoLogger(fd, format ?? (terminal ? 'pretty' : 'json'), terminal && hasColours())));
  };
  const least = LOG_LEVELS.indexOf(level);
  // What is below the level is `silentLogger`'s own: by that `loud` knows it.
  const at = (one: keyof Logger): Logger['info'] =>
    LOG_LEVELS.indexOf(one) < least ? silentLogger[one] : (message, fields) => open()[one](message, fields);
  return {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    close() {
      if (closed) return;
      closed = true;
      if (fd !== STDERR) closeSync(fd);
    },
  };
}

/** The logger if it wants lines of this level: for places that would do work to make them. */
export function loud(logger: Logger, level: keyof Logger): Logger | undefined {
  return logger[level] === silentLogger[level] ? undefined : logger;
}

function hasColours(): boolean {
  return process.stderr.hasColors?.() === true;
}

function openFile(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (cause) {
    throw new UsageError(`Cannot write the log file ${file}: ${(cause as Error).message}`, { cause });
  }
}
