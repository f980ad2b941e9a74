/** A folder of a cluster's own for its unix sockets, made when it is first asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class SocketFolder {
  #path: string | undefined;

  get path(): string {
    return (this.#path ??= mkdtempSync(path.join(shortTmpdir(), 'tutti-')));
  }

  /** Where it is, if it was made. */
  get made(): string | undefined {
    return this.#path;
  }

  remove(): void {
    if (this.#path) rmSync(this.#path, { recursive: true, force: true });
  }
}

/** A unix socket's path holds about 100 bytes; some systems' temporary folders are longer than that. */
function shortTmpdir(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}
