/** What goes over a link: a head of eight numbers, the lengths of its parts, the parts. */

export const Kind = {
  /** A message with its data. */
  EAGER: 1,
  /** A message whose data is sent when it has been matched. */
  ANNOUNCE: 2,
  /** It has been matched: `id` of the announcement; `peer`: the receive that waits for the data, or 0, which wants none. */
  GO: 3,
  /** The data: `peer` is the receive that it is for. */
  DATA: 4,
  /** An eager message that asked for it has been matched: `id`. */
  MATCHED: 5,
  /** So many bytes of eager messages have been received: `id`. */
  CREDIT: 6,
  /** Between the worlds of two ranks: an object. */
  CONTROL: 7,
} as const;

/** What the parts are. */
export const Format = { OBJECT: 0, ARRAY: 1 } as const;

/** An eager message whose sender wants to know when it is matched. */
export const SYNCHRONOUS = 1;

export class Head {
  kind: number;
  /** Of the data: see `Format`. */
  format = 0;
  /** Of the elements of an array: its place in `arrays.ts`. */
  type = 0;
  flags = 0;
  context = 0;
  /** The sender's rank in the communicator. */
  source = 0;
  tag = 0;
  id = 0;
  peer = 0;
  /** Of collectives: what is being called; see `signature.ts`. */
  signature = 0;
  /** In bytes, of each part of the data. */
  lengths: readonly number[] = NO_LENGTHS;

  constructor(kind: number) {
    this.kind = kind;
  }

  get bytes(): number {
    let sum = 0;
    for (const length of this.lengths) sum += length;
    return sum;
  }

  /** Of them, those that come with the head. */
  get carried(): number {
    return this.kind === Kind.ANNOUNCE ? 0 : this.bytes;
  }
}

export const HEAD_INTS = 8;
const NO_LENGTHS: readonly number[] = [];

/** The first word holds four numbers below 256. */
export function firstWord(head: Head): number {
  return head.kind | (head.format << 8) | (head.type << 16) | (head.flags << 24);
}

/** From ints that wrap around at `mask + 1`. */
export function readHead(ints: Int32Array, at: number, mask: number): Head {
  const word = ints[at & mask]!;
  const head = new Head(word & 0xff);
  head.format = (word >>> 8) & 0xff;
  head.type = (word >>> 16) & 0xff;
  head.flags = word >>> 24;
  head.context = ints[(at + 1) & mask]!;
  head.source = ints[(at + 2) & mask]!;
  head.tag = ints[(at + 3) & mask]!;
  head.id = ints[(at + 4) & mask]!;
  head.peer = ints[(at + 5) & mask]!;
  head.signature = ints[(at + 6) & mask]!;
  const count = ints[(at + 7) & mask]!;
  if (count === 0) return head;
  const lengths = new Array<number>(count);
  for (let i = 0; i < count; i++) lengths[i] = ints[(at + HEAD_INTS + i) & mask]! >>> 0;
  head.lengths = lengths;
  return head;
}

export function writeHead(head: Head, ints: Int32Array, at: number, mask: number): void {
  ints[at & mask] = firstWord(head);
  ints[(at + 1) & mask] = head.context;
  ints[(at + 2) & mask] = head.source;
  ints[(at + 3) & mask] = head.tag;
  ints[(at + 4) & mask] = head.id;
  ints[(at + 5) & mask] = head.peer;
  ints[(at + 6) & mask] = head.signature;
  const { lengths } = head;
  ints[(at + 7) & mask] = lengths.length;
  for (let i = 0; i < lengths.length; i++) ints[(at + HEAD_INTS + i) & mask] = lengths[i]!;
}

/** In bytes, head and lengths, so that what follows is aligned to 8. */
export function headBytes(parts: number): number {
  return (HEAD_INTS + parts + (parts & 1)) * 4;
}
