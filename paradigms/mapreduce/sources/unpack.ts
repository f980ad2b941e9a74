/** The bytes of a file, unpacked if it is compressed. */
import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { fileError, InputError } from './errors.ts';
import type { Compression } from './format.ts';
import { BLOCK, type Block, type Opened } from './opened.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** From `start` to `end`, which for a compressed file have to be all there is. */
export function unpacked(file: Opened, start: number, end: number): AsyncIterable<Block> {
  const { compression } = file.piece;
  return compression ? unpacking(file, compression) : file.blocks(start, end);
}

async function* unpacking(file: Opened, compression: Compression): AsyncGenerator<Block> {
  const { path } = file.piece;
  try {
    for await (const memory of compression === 'gzip' ? gunzip(file.raw()) : unzstd(file.raw(), path)) {
      yield { memory, from: 0, to: memory.length };
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code ?? '')) throw fileError(path, 'read', error);
    throw new InputError(
      `${path} is damaged, or not whole: as ${compression} data it fails with '${message}'`,
      { path },
      { cause: error },
    );
  }
}

/** All members, one after the other: Node's decoder does that. */
function gunzip(raw: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return through(raw, zlib.createGunzip({ chunkSize: BLOCK }));
}

/** All frames. Node's decoder stops after the first one without a word, and takes a frame that is cut short for a whole one. */
async function* unzstd(raw: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  const create = (zlib as { createZstdDecompress?: typeof zlib.createGunzip }).createZstdDecompress;
  if (!create)
    throw new InputError(
      `${path} is compressed with zstd, which Node ${process.versions.node} cannot unpack. Use Node 22.15 or later on the engines, or gzip`,
      { path },
    );
  const frames = new ZstdFrames(raw, path);
  while (await frames.next()) yield* through(frames.frame(), create({ chunkSize: BLOCK }));
}

/** Errors of either come out of the decoder. */
function through(bytes: AsyncIterable<Buffer>, decoder: Transform): AsyncIterable<Buffer> {
  pipeline(Readable.from(bytes, { objectMode: false, highWaterMark: BLOCK }), decoder, () => undefined);
  return decoder;
}
