/** Where the lines that were typed are kept: in the user's state folder, for nobody else to read. */
import { chmodSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { REPLServer } from 'node:repl';
import { makeFolder } from '../../core/connection-file.ts';

/** `TUTTI_HISTORY` moves it; empty, nothing is kept. */
export function historyFile(): string | undefined {
  const { TUTTI_HISTORY, XDG_STATE_HOME } = process.env;
  if (TUTTI_HISTORY !== undefined) return TUTTI_HISTORY || undefined;
  return path.join(XDG_STATE_HOME || path.join(homedir(), '.local/state'), 'tutti', 'history');
}

/** Rejects, saying why, where it cannot be kept; the console then goes without. */
export async function keepHistory(server: REPLServer, file: string): Promise<void> {
  makeFolder(path.dirname(path.resolve(file)));
  await new Promise<void>((resolve, reject) =>
    server.setupHistory(file, (error) => (error ? reject(error) : resolve())),
  );
  chmodSync(file, 0o600);
}
