/** A look into a file while splits are planned: can it be read, how large is it, how is it compressed? */
import { open, stat } from 'node:fs/promises';
import { fileError, InputError } from './errors.ts';
import type { Compression } from './format.ts';
import type { FileSource } from './source.ts';
import type { Piece } from './split.ts';

/** The whole file. */
export async function inspect(path: string, compression: FileSource<unknown>['compression']): Promise<Piece> {
  try {
    const stats = await stat(path);
    // Others may not even open before somebody writes to them.
    if (!stats.isFile()) throw noParts(path);
    const { size, mtimeMs } = stats;
    const first = await beginning(path);
    if (first.length > size) throw noParts(path);
    const kind = kindOf(path, first, compression);
    return { path, start: 0, end: size, exact: true, size, mtimeMs, ...(kind && { compression: kind }) };
  } catch (error) {
    throw error instanceof InputError ? error : fileError(path, 'read', error);
  }
}

/** Devices, pipes, and what only looks like a file, as in /proc. */
function noParts(path: string): InputError {
  return new InputError(`${path} is no file that can be read in parts. Copy what it gives into one`, { path });
}

async function beginning(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const NAMES: Record<Compression, RegExp> = { gzip: /\.(gz|gzip)$/i, zstd: /\.(zst|zstd)$/i };

function kindOf(path: string, first: Buffer, wanted: FileSource<unknown>['compression']): Compression | undefined {
  if (wanted === 'none' || first.length === 0) return undefined;
  if (wanted !== 'auto') return wanted;
  // Neither can be the beginning of a text in UTF-8.
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  if (first.length === 4 && isZstd(first.readUInt32LE())) return 'zstd';
  for (const [kind, name] of Object.entries(NAMES)) {
    if (!name.test(path)) continue;
    const message = `${path} is called like a ${kind} file and is none. Is it whole? If it is plain, say { compression: 'none' }`;
    throw new InputError(message, { path });
  }
  return undefined;
}

/** Of a frame, or of one that is to be skipped. */
function isZstd(magic: number): boolean {
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}
