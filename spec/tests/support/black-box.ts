/** A log that a test can read. */
import type { Logger } from 'tutti';

export interface Entry {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Record<string, unknown>;
}

export function blackBox(): { log: Logger; entries: Entry[]; of(message: string): Entry[] } {
  const entries: Entry[] = [];
  const write =
    (level: Entry['level']) =>
    (message: string, fields: object = {}): void =>
      void entries.push({ level, message, fields: fields as Record<string, unknown> });
  return {
    entries,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    of: (message) => entries.filter((entry) => entry.message === message),
  };
}
