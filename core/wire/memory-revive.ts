/**
 * The memory entries of a table (see memory.ts) become ArrayBuffers again, and views over them: in place where the
 * part's alignment allows, else over a copy.
 */
import { malformed } from './malformed.ts';
import { canShare, isShared } from './memory.ts';
import { Slot } from './slot.ts';

type ViewClass = {
  new (buffer: ArrayBufferLike, offset: number, length: number): ArrayBufferView;
  BYTES_PER_ELEMENT?: number;
};

interface Bytes {
  bytes: Uint8Array;
  thing: unknown;
}

interface View {
  index: number;
  memory: number;
  kind: string;
  offset: number;
  length: number;
}

/** Fills in the things of all `memory` and `view` entries. Throws ProtocolError. */
export function makeMemories(table: readonly unknown[][], parts: readonly Uint8Array[], things: unknown[]): void {
  if (!table.some((entry) => entry[0] === 'memory' || entry[0] === 'view')) return;
  const views: View[] = [];
  const misaligned = new Set<number>();
  const named = new Set<number>();
  const memories = new Map<number, Bytes>();
  table.forEach((entry, index) => {
    if (entry[0] === 'view') views.push(readView(entry, index));
  });
  table.forEach((entry, index) => {
    if (entry[0] !== 'memory') return;
    // Each is copied where it must be; a part that is named a thousand times would be a thousand copies.
    if (typeof entry[3] === 'number' && named.size === named.add(entry[3]).size)
      throw malformed(`two memories in part ${entry[3]}`);
    memories.set(index, { bytes: locate(entry, parts), thing: undefined });
  });
  for (const view of views) {
    const memory = memories.get(view.memory);
    if (!memory) throw malformed('a view of something that is not memory');
    if ((memory.bytes.byteOffset + view.offset) % elementSize(view.kind) !== 0) misaligned.add(view.memory);
  }
  for (const [index, memory] of memories) {
    const [, shared, whole] = table[index]!;
    if (whole === true) memory.bytes = new Uint8Array(alone(memory.bytes, shared === true && canShare));
    else if (misaligned.has(index)) memory.bytes = new Uint8Array(alone(memory.bytes, false));
    things[index] = memory.bytes.buffer;
  }
  for (const view of views) things[view.index] = over(memories.get(view.memory)!.bytes, view);
}

function readView(entry: unknown[], index: number): View {
  const [, kind, memory, offset, length] = entry;
  if (!(memory instanceof Slot) || typeof kind !== 'string' || !isSize(offset) || !isSize(length)) {
    throw malformed('a view without memory, class, offset and length');
  }
  return { index, memory: memory.index, kind, offset, length };
}

function locate(entry: unknown[], parts: readonly Uint8Array[]): Uint8Array {
  const content = entry[3];
  // Out of the body, which holds other things too.
  if (content instanceof Uint8Array) return Uint8Array.prototype.slice.call(content);
  const part = typeof content === 'number' && content >= 1 ? parts[content] : undefined;
  if (!part) throw malformed(`memory in part ${String(content)} of ${parts.length}`);
  return part;
}

/** The bytes as the only content of one buffer of the right kind. */
function alone(bytes: Uint8Array, shared: boolean): ArrayBufferLike {
  const { buffer } = bytes;
  if (isShared(buffer) === shared && bytes.byteLength === buffer.byteLength && bytes.byteOffset % 8 === 0)
    return buffer;
  const memory = shared ? new SharedArrayBuffer(bytes.byteLength) : new ArrayBuffer(bytes.byteLength);
  new Uint8Array(memory).set(bytes);
  return memory;
}

function over(bytes: Uint8Array, { kind, offset, length }: View): ArrayBufferView {
  if (offset + length * elementSize(kind) > bytes.byteLength) throw malformed('a view beyond its memory');
  const start = bytes.byteOffset + offset;
  if (kind === 'Buffer' && typeof Buffer !== 'undefined')
    return Buffer.from(bytes.buffer as ArrayBuffer, start, length);
  return new (viewClass(kind))(bytes.buffer, start, length);
}

function elementSize(kind: string): number {
  return viewClass(kind).BYTES_PER_ELEMENT ?? 1;
}

const VIEW_KINDS =
  /^(DataView|(Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32|Uint32|Float16|Float32|Float64|BigInt64|BigUint64)Array)$/;

function viewClass(kind: string): ViewClass {
  if (kind === 'Buffer') return Uint8Array;
  const found = VIEW_KINDS.test(kind)
    ? (globalThis as unknown as Record<string, ViewClass | undefined>)[kind]
    : undefined;
  if (!found) throw malformed(`an array of class ${kind}, which this platform does not have`);
  return found;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
