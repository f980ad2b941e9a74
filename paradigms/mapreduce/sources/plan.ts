/** Cuts the input into splits, in order, while tasks already work on the first ones. */
import { UsageError } from '../../../core/index.ts';
import { Scale } from '../records/size.ts';
import { csvPieces } from './csv-pieces.ts';
import { fixedPieces } from './fixed-parser.ts';
import { inspect } from './inspect.ts';
import { matchFiles } from './match.ts';
import { linePieces, linesInMemory } from './n-lines.ts';
import { ranges } from './range.ts';
import type { FileSource, MemorySource, Source } from './source.ts';
import type { Piece, Split } from './split.ts';

export interface PlanOptions {
  /** Bytes that a split has at most, where its records are not longer. */
  splitSize: number;
  signal?: AbortSignal;
}

/** Bytes of all files, on disk; undefined where that cannot be known before. Throws InputError as `planSplits` does. */
export async function inputSize(
  source: Source<unknown>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<number | undefined> {
  if (source.kind === 'from') return undefined;
  let bytes = 0;
  if (source.kind === 'splits') for (const split of source.splits) bytes += split.bytes;
  else for await (const { size } of inspected(source, signal)) bytes += size;
  return bytes;
}

/** Throws InputError where no files match, one cannot be read, or is a folder. */
export function planSplits(source: Source<unknown>, options: PlanOptions): AsyncGenerator<Split> {
  if (!(options.splitSize >= 1)) throw new UsageError(`A split has 1 byte or more; got ${options.splitSize}`);
  if (source.kind === 'splits') return plannedSplits(source.splits);
  return source.kind === 'from' ? recordSplits(source, options) : fileSplits(source, options);
}

async function* plannedSplits(splits: readonly Split[]): AsyncGenerator<Split> {
  yield* splits;
}

/** A file takes as long to open as so many bytes to read. */
const OPENING = 4096;
/** So many may share a split, however small it is. */
const SHARING = 64;

/** Small files share a split. */
async function* fileSplits(source: FileSource<unknown>, { splitSize, signal }: PlanOptions): AsyncGenerator<Split> {
  const { format, linesPerSplit } = source;
  const opening = Math.min(OPENING, splitSize / SHARING);
  let pieces: Piece[] = [];
  let bytes = 0;
  const packed = (): Split[] => {
    const split = { format, pieces, bytes };
    pieces = [];
    bytes = 0;
    return split.pieces.length > 0 ? [split] : [];
  };
  for await (const piece of inspected(source, signal)) {
    if (piece.size === 0 && format.kind !== 'files') continue;
    const whole =
      linesPerSplit === undefined && (piece.compression || format.kind === 'files' || piece.size <= splitSize);
    if (!whole || bytes + piece.size + pieces.length * opening > splitSize) yield* packed();
    if (whole) {
      pieces.push(piece);
      bytes += piece.size;
    } else if (linesPerSplit !== undefined && piece.compression)
      yield* linesInMemory(piece, format, linesPerSplit, signal);
    else {
      for await (const part of partsOf(piece, source, splitSize)) {
        signal?.throwIfAborted();
        yield { format, pieces: [part], bytes: part.end - part.start };
      }
    }
  }
  yield* packed();
}

const INSPECTED_AT_ONCE = 16;

async function* inspected(source: FileSource<unknown>, signal: AbortSignal | undefined): AsyncGenerator<Piece> {
  const ahead: Promise<Piece>[] = [];
  try {
    for await (const path of matchFiles(source, signal)) {
      signal?.throwIfAborted();
      const piece = inspect(path, source.compression);
      // It is reported in its turn.
      piece.catch(() => undefined);
      ahead.push(piece);
      if (ahead.length >= INSPECTED_AT_ONCE) yield await ahead.shift()!;
    }
    while (ahead.length > 0) yield await ahead.shift()!;
  } finally {
    await Promise.allSettled(ahead);
  }
}

function partsOf(
  piece: Piece,
  { format, linesPerSplit }: FileSource<unknown>,
  splitSize: number,
): AsyncIterable<Piece> | Iterable<Piece> {
  if (linesPerSplit !== undefined) return linePieces(piece, linesPerSplit);
  if (format.kind === 'fixed') return fixedPieces(piece, format.length, splitSize);
  return format.kind === 'csv' ? csvPieces(piece, format, splitSize) : ranges(piece, splitSize);
}

/** Tasks that a list whose length is known is made into, if its records are small. */
const TASKS = 64;
const FIRST = 16;
const MOST = 4096;

async function* recordSplits(source: MemorySource<unknown>, { splitSize, signal }: PlanOptions): AsyncGenerator<Split> {
  readOnce(source.records);
  const { length, size } = source.records as { length?: unknown; size?: unknown };
  const known = typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
  let target = source.perSplit ?? (known === undefined ? FIRST : Math.min(MOST, Math.ceil(known / TASKS)));
  const scale = new Scale();
  let records: unknown[] = [];
  let bytes = 0;
  for await (const record of untilAborted(source.records, signal)) {
    signal?.throwIfAborted();
    records.push(record);
    bytes += scale.weigh(record);
    if (records.length < target && bytes < splitSize) continue;
    yield { records, bytes };
    records = [];
    bytes = 0;
    if (source.perSplit === undefined && known === undefined) target = Math.min(MOST, target * 2);
  }
  if (records.length > 0) yield { records, bytes };
}

/** One that waits for its next record, which may never come, is not waited for. */
function untilAborted(
  records: MemorySource<unknown>['records'],
  signal: AbortSignal | undefined,
): MemorySource<unknown>['records'] {
  const asynchronous = records as Partial<AsyncIterable<unknown>>;
  if (!signal || typeof asynchronous[Symbol.asyncIterator] !== 'function') return records;
  return {
    [Symbol.asyncIterator]() {
      const iterator = asynchronous[Symbol.asyncIterator]!();
      return {
        next: () =>
          new Promise((resolve, reject) => {
            const give = (): void => reject(signal.reason);
            if (signal.aborted) give();
            signal.addEventListener('abort', give, { once: true });
            iterator
              .next()
              .then(resolve, reject)
              .finally(() => signal.removeEventListener('abort', give));
          }),
        async return(value) {
          const ending = iterator.return?.(value);
          if (!signal.aborted) return (await ending) ?? { done: true, value };
          ending?.catch(() => {});
          return { done: true, value };
        },
      };
    },
  };
}

const read = new WeakSet<object>();

/** A generator gives its records once; a second reader would take them for none. */
function readOnce(records: MemorySource<unknown>['records']): void {
  if (typeof records !== 'object' || typeof (records as Partial<Iterator<unknown>>).next !== 'function') return;
  if (read.has(records))
    throw new UsageError(
      'from: this generator has been read by a job, or a bag, before. Make a list of its records to read them again',
    );
  read.add(records);
}
