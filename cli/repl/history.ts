/** Where the lines that were typed are kept: in the user's state folder, for nobody else to read. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { REPLServer } from 'node:repl';
import { makeFolder } from '../../core/connection-file.ts';

/** Lines that a console remembers. */
const HISTORY = 1_000;

/** `TUTTI_HISTORY` moves it; empty, nothing is kept. */
export function historyFile(): string | undefined {
  const { TUTTI_HISTORY, XDG_STATE_HOME } = process.env;
  if (TUTTI_HISTORY !== undefined) return TUTTI_HISTORY || undefined;
  return path.join(XDG_STATE_HOME || path.join(homedir(), '.local/state'), 'tutti', 'history');
}

/**
 * The file has the oldest line first, and each new one goes to its end, so that consoles side by side keep theirs. (Node's own
 * way writes all lines anew over the old ones, and leaves the rest of those behind.) `fail`: it cannot be kept, and why; the console
 * then goes without.
 */
export function keepHistory(server: REPLServer, file: string, fail: (why: string) => void): void {
  const kept = server as unknown as { history: string[] };
  try {
    makeFolder(path.dirname(path.resolve(file)));
    appendFileSync(file, '', { mode: 0o600 });
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    // Newer Nodes have but a getter of their own here, and remember as many lines as they like.
    Object.defineProperty(kept, 'historySize', { value: HISTORY, configurable: true, writable: true });
    kept.history = lines.slice(-HISTORY).reverse();
    if (lines.length > 2 * HISTORY) shorten(file, lines.slice(-HISTORY));
  } catch (error) {
    fail((error as Error).message);
    return;
  }
  const append = ([newest]: string[]): void => {
    if (!newest) return;
    try {
      appendFileSync(file, `${newest}\n`);
    } catch (error) {
      server.off('history', append);
      fail((error as Error).message);
    }
  };
  server.on('history', append);
}

function shorten(file: string, lines: readonly string[]): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
