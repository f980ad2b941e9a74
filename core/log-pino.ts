/** Log lines by pino: as JSON, or for people. Loaded when the first line is written; most programs never write one. */
import { createRequire } from 'node:module';
import type { DestinationStream, Logger as Pino } from 'pino';
import type { Logger } from './log.ts';
import type { LogFormat } from './log-options.ts';

const require = createRequire(import.meta.url);

/** Writes to this file descriptor, each line at once: a program that ends in a bad way has written its last words. */
export function pinoLogger(fd: number, format: LogFormat, colour: boolean): Logger {
  const { pino } = require('pino') as typeof import('pino');
  const destination = pino.destination({ dest: fd, sync: true });
  // A full disk, or a reader that has gone, is no reason to end what is running.
  destination.on('error', () => {});
  const stream = format === 'pretty' ? pretty(destination, colour) : destination;
  const options = {
    level: 'debug',
    base: { name: 'tutti', pid: process.pid },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const log: Pino = pino(options, stream);
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}

function pretty(destination: DestinationStream, colorize: boolean): DestinationStream {
  const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
  const translateTime = 'SYS:HH:MM:ss.l';
  const shown = prettyFactory({ colorize, singleLine: true, ignore: 'pid', translateTime });
  return { write: (line) => destination.write(shown(line)) };
}
