/**
 * Room in the data file, made before lmdb needs it. lmdb never overwrites a page, so that even removing an entry takes pages
 * from the end of the file until earlier ones are free again; on a full disk that would fail. So the file always ends
 * with some pages that only removals may use, and a write that does not fit is refused before it begins.
 */
import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs';
import type { Environment } from './lmdb-environment.ts';
import type { PackedChange } from './packed-writes.ts';

/** Pages that are left to removals. */
const RESERVE = 64;
const STEP = 1024 * 1024;
const ZEROS = Buffer.alloc(256 * 1024);
/** What an entry takes beside its key and value. */
const ENTRY = 32;
const NO_SPACE = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What changes take, to be added up. */
export interface Need {
  readonly changes: number;
  /** Bytes of entries that share pages, and pages of those that do not. */
  readonly small: number;
  readonly large: number;
}

interface Pages {
  pageSize: number;
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
}

interface Stats extends Pages {
  lastPageNumber: number;
  free: Pages;
}

export class Room {
  readonly #db: Environment;
  readonly #folder: string;
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #pageSize: number;
  #size: number;

  constructor(db: Environment, folder: string, file: string, maxBytes: number) {
    this.#db = db;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#fd = openSync(file, 'r+');
    this.#size = fstatSync(this.#fd).size;
    this.#pageSize = (db.getStats() as Stats).pageSize;
  }

  /** Of the changes, and of others before them. */
  need(changes: readonly PackedChange[], before: Need = { changes: 0, small: 0, large: 0 }): Need {
    let { small, large } = before;
    for (const { key, record } of changes) {
      const size = key.length + (record?.length ?? 0) + ENTRY;
      if (size > this.#pageSize / 2) large += Math.ceil(size / this.#pageSize);
      else small += size;
    }
    return { changes: before.changes + changes.length, small, large };
  }

  /** Why there is no room for so much, or undefined. It may take fewer pages than this reckons, never many more. */
  lacks({ changes, small, large }: Need): string | undefined {
    this.#db.resetReadTxn();
    const stats = this.#db.getStats() as Stats;
    const { lastPageNumber, treeLeafPageCount } = stats;
    const pageSize = this.#pageSize;
    // Each change may copy a page of the tree, and pages that are divided are half empty.
    const copied = Math.min(changes, treeLeafPageCount);
    const needed = copied + Math.ceil((2 * small) / pageSize) + large + RESERVE;
    const used = 2 + inTree(stats) + inTree(stats.free);
    if ((used + needed) * pageSize > this.#maxBytes) return `maxBytes (${this.#maxBytes}) is reached`;
    const end = lastPageNumber + 1;
    if (this.#extend((end + needed) * pageSize)) return undefined;
    const free = end - used + Math.floor(this.#size / pageSize) - end;
    return free >= needed ? undefined : 'the disk is full';
  }

  /** An error of the file system may come as a plain EIO when the disk became full within a write. */
  isFull(): boolean {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize < ZEROS.length;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #extend(wanted: number): boolean {
    if (wanted <= this.#size) return true;
    this.#size = fstatSync(this.#fd).size; // lmdb may have gone past what we made
    const generous = Math.min(wanted + Math.max(STEP, Math.floor(this.#size / 16)), Math.max(wanted, this.#maxBytes));
    return this.#grow(generous) || this.#size >= wanted;
  }

  #grow(size: number): boolean {
    try {
      while (this.#size < size) {
        this.#size += writeSync(this.#fd, ZEROS, 0, Math.min(ZEROS.length, size - this.#size), this.#size);
      }
      return true;
    } catch (error) {
      if (!NO_SPACE.includes((error as NodeJS.ErrnoException).code!)) throw error;
      return false;
    }
  }
}

function inTree({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Pages): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}
