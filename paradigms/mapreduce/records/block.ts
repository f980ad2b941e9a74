/** Records in blocks: a column of keys, and one of values. */
import { CannotTravelError } from '../../../core/index.ts';
import { MapReduceError } from '../errors.ts';
import { decodeColumn, Scratch } from './column.ts';

/** Bytes that a block had better have. */
export const BLOCK = 64 << 10;

export interface Block {
  readonly keys: readonly unknown[];
  readonly values: readonly unknown[];
}

const scratch = new Scratch();

/** In memory that the next call uses again. @throws MapReduceError that names the record which cannot travel. */
export function encodeBlock({ keys, values }: Block): Uint8Array {
  scratch.begin();
  try {
    scratch.column(keys);
    scratch.column(values);
  } catch (error) {
    throw error instanceof CannotTravelError ? culprit({ keys, values }, error) : error;
  }
  return scratch.written;
}

export function decodeBlock(bytes: Uint8Array): Block {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { values: keys, end } = decodeColumn(buffer, 0);
  return { keys, values: decodeColumn(buffer, end).values };
}

function culprit({ keys, values }: Block, error: CannotTravelError): Error {
  for (let i = 0; i < keys.length; i++) {
    for (const [what, value] of [['key', keys[i]] as const, ['value', values[i]] as const]) {
      try {
        scratch.column([value]);
      } catch (cause) {
        const where = what === 'key' ? '' : ` under the key ${shown(keys[i])}`;
        return new MapReduceError(`A ${what} that was emitted${where} cannot travel: ${(cause as Error).message}`, {
          cause,
        });
      }
    }
  }
  return error;
}

function shown(key: unknown): string {
  try {
    return (JSON.stringify(key) ?? String(key)).slice(0, 80);
  } catch {
    return String(key).slice(0, 80);
  }
}
