/** The terminal, past Node's streams. */
import { writeSync } from 'node:fs';

/**
 * While `body` runs, what it writes to these streams goes straight to their terminal. A signal that is to stop code in a loop is lost
 * where it finds that code inside a write of Node's own streams, and so are all that follow.
 */
export function withDirectWrites<T>(streams: readonly Stream[], body: () => T): T {
  const undo = streams.map(bypass);
  try {
    return body();
  } finally {
    for (const back of undo) back();
  }
}

type Stream = typeof process.stdout | typeof process.stderr;

function bypass(stream: Stream): () => void {
  const own = Object.getOwnPropertyDescriptor(stream, 'write');
  const { write } = stream;
  const direct = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    // In order, behind what waits there.
    if (stream.writableLength || !written(stream.fd, bytesOf(chunk, rest[0])))
      return Reflect.apply(write, stream, [chunk, ...rest]);
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = direct as Stream['write'];
  return () => {
    if (stream.write !== direct) return; // somebody else has put his own there
    if (own) Object.defineProperty(stream, 'write', own);
    else Reflect.deleteProperty(stream, 'write');
  };
}

const bytesOf = (chunk: string | Uint8Array, encoding: unknown): Uint8Array =>
  typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8') : chunk;

/** False: nothing was, and the stream has to see to it. */
function written(fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return at > 0;
      if (at === 0) return false;
    }
  }
  return true;
}
