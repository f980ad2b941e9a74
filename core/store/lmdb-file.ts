/**
 * Is this data file whole? lmdb maps it into memory and believes every page number in it, so that a damaged file would end
 * the process with SIGBUS or SIGSEGV. Checked before it is mapped: the file's head, its length, and every page of the tree
 * of entries. What is not: the bytes of values (each has a checksum, compared when it is read) and the list of free pages.
 *
 * The layout is that of lmdb's 64-bit little-endian files, data version 2, in the fork that the lmdb package brings along.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { StoreCorruptError } from '../errors.ts';

const PAGE_HEADER = 24;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const EMPTY = 0xffff_ffff_ffff_ffffn;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const META = 8;
const KINDS = BRANCH | LEAF | OVERFLOW | META;
const BIG_DATA = 1;
const NODE_HEADER = 8;
const HEADS = 2;
const MAIN_TREE = 48;
const ARCHITECTURES = ['x64', 'arm64', 'riscv64', 'loong64'];

interface Head {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  readonly entries: number;
  readonly root: bigint;
}

/** Throws StoreCorruptError if it is damaged. Takes a read of each page that does not belong to a large value. */
export function checkFile(file: string): void {
  if (endianness() !== 'LE' || !ARCHITECTURES.includes(process.arch)) return;
  const fd = openSync(file, 'r');
  try {
    new FileCheck(file, fd).run();
  } finally {
    closeSync(fd);
  }
}

class FileCheck {
  readonly #file: string;
  readonly #fd: number;
  #head!: Head;
  #seen!: Uint8Array;
  #entries = 0;
  #lastKey: Buffer | undefined;

  constructor(file: string, fd: number) {
    this.#file = file;
    this.#fd = fd;
  }

  run(): void {
    const size = fstatSync(this.#fd).size;
    const first = this.#readHead(0, 0);
    const second = this.#readHead(1, first.pageSize);
    if (second.pageSize !== first.pageSize) this.#damaged('its two heads differ in their page size');
    this.#head = first.transaction >= second.transaction ? first : second;
    const { pageSize, lastPage, root, entries } = this.#head;
    const needed = (lastPage + 1) * pageSize;
    if (size < needed) this.#damaged(`it is cut off: it has ${size} bytes and had at least ${needed}`);
    this.#seen = new Uint8Array(lastPage + 1);
    if (root !== EMPTY) this.#checkTree(root);
    if (this.#entries !== entries) this.#damaged(`it has ${this.#entries} entries and should have ${entries}`);
  }

  #readHead(number: number, at: number): Head {
    const page = this.#read(at, PAGE_HEADER + 144, `head ${number}`);
    const meta = page.subarray(PAGE_HEADER);
    if (!(page.readUInt16LE(18) & META) || meta.readUInt32LE(0) !== MAGIC)
      this.#damaged('it does not begin as a store');
    if ((meta.readUInt32LE(4) & 0xffff) !== DATA_VERSION) this.#damaged('it is of another version of lmdb');
    const pageSize = meta.readUInt32LE(24);
    if (pageSize < 256 || pageSize > 65536 || pageSize & (pageSize - 1)) this.#damaged(`page size ${pageSize}`);
    const tree = 24 + MAIN_TREE;
    return {
      pageSize,
      lastPage: this.#count(meta.readBigUInt64LE(120)),
      transaction: meta.readBigUInt64LE(128),
      entries: this.#count(meta.readBigUInt64LE(tree + 32)),
      root: meta.readBigUInt64LE(tree + 40),
    };
  }

  #checkTree(number: bigint): void {
    const { pageSize } = this.#head;
    const at = this.#visit(number, 1n) * pageSize;
    const page = this.#read(at, pageSize, `page ${number}`);
    const kind = page.readUInt16LE(18) & KINDS;
    if (page.readBigUInt64LE(0) !== number || (kind !== BRANCH && kind !== LEAF)) {
      this.#damaged(`page ${number} is not the page that it should be`);
    }
    const body = page.subarray(PAGE_HEADER);
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
    if (lower & 1 || lower > upper || upper > body.length || lower === 0)
      this.#damaged(`page ${number} makes no sense`);
    for (let i = 0; i < lower / 2; i++) {
      const node = body.readUInt16LE(2 * i);
      if (node < upper || node + NODE_HEADER > body.length) this.#damaged(`page ${number} makes no sense at ${node}`);
      const keyEnd = node + NODE_HEADER + body.readUInt16LE(node + 6);
      if (keyEnd > body.length) this.#damaged(`page ${number} has a key that is cut off`);
      if (kind === LEAF) this.#checkEntry(body, node, keyEnd, number);
      else this.#checkTree(BigInt(body.readUInt32LE(node)) | (BigInt(body.readUInt16LE(node + 4)) << 32n));
    }
  }

  #checkEntry(body: Buffer, node: number, keyEnd: number, number: bigint): void {
    const key = body.subarray(node + NODE_HEADER, keyEnd);
    if (this.#lastKey && Buffer.compare(this.#lastKey, key) >= 0) this.#damaged(`page ${number} has keys out of order`);
    this.#lastKey = key;
    this.#entries++;
    const length = body.readUInt32LE(node);
    const flags = body.readUInt16LE(node + 4);
    if (flags & ~BIG_DATA) this.#damaged(`page ${number} has an entry of another kind`);
    if (keyEnd + (flags ? 24 : length) > body.length) this.#damaged(`page ${number} has a value that is cut off`);
    if (!flags) return;
    const first = body.readBigUInt64LE(keyEnd);
    const pages = body.readBigUInt64LE(keyEnd + 16);
    const { pageSize } = this.#head;
    const at = this.#visit(first, pages) * pageSize;
    const page = this.#read(at, PAGE_HEADER, `page ${first}`);
    const whole = page.readBigUInt64LE(0) === first && (page.readUInt16LE(18) & KINDS) === OVERFLOW;
    if (!whole || BigInt(page.readUInt32LE(20)) !== pages || BigInt(length + PAGE_HEADER) > pages * BigInt(pageSize)) {
      this.#damaged(`page ${first} is not the value that it should be`);
    }
  }

  /** Each page belongs to one place only; a tree that leads back into itself would have no end. */
  #visit(first: bigint, pages: bigint): number {
    const last = BigInt(this.#head.lastPage);
    if (first < HEADS || pages < 1n || first + pages - 1n > last) this.#damaged(`it leads to page ${first} of ${last}`);
    const start = Number(first);
    for (let page = start; page < start + Number(pages); page++) {
      if (this.#seen[page]) this.#damaged(`it leads to page ${page} twice`);
      this.#seen[page] = 1;
    }
    return start;
  }

  #read(at: number, length: number, what: string): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    if (readSync(this.#fd, bytes, 0, length, at) !== length) this.#damaged(`it ends within ${what}`);
    return bytes;
  }

  #count(n: bigint): number {
    if (n > BigInt(Number.MAX_SAFE_INTEGER)) this.#damaged(`it counts ${n}`);
    return Number(n);
  }

  #damaged(how: string): never {
    throw new StoreCorruptError(
      `${this.#file} is damaged: ${how}. Restore it from a copy, or remove its folder to start empty`,
    );
  }
}
