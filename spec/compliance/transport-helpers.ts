/** What the transport cases are made of: connected pairs, recorders, patterns, and waiting for conditions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { CloseReason, Connection, Lane, Message } from '../../core/wire/transport.ts';
import type { TransportFixture } from './transport.ts';

export const MIB = 1024 * 1024;

/** Part lengths of messages around the sizes at which adapters change their ways. */
export const SHAPES: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [0, 0, 0],
  [5, 0, 4096, 0],
  [4095, 4096, 4097],
  [65_535],
  [65_536],
  [65_537, 1],
  [0, 200_000, 0, 200_000],
  Array.from({ length: 1000 }, (_, i) => i % 50),
  [262_143, 262_144, 262_145],
  [3 * MIB, 7],
  [1],
  Array.from({ length: 65_536 }, () => 1),
  [12 * MIB + 3],
  [],
];

export async function connect({ transport, url }: TransportFixture) {
  let accepted!: (connection: Connection) => void;
  const arriving = new Promise<Connection>((resolve) => {
    accepted = resolve;
  });
  const listener = await transport.listen(new URL(url()), accepted);
  const near = await transport.dial(new URL(listener.url), {});
  const far = await arriving;
  near.allowLarge();
  far.allowLarge();
  return { near, far, listener };
}

export function record(connection: Connection) {
  const received: Uint8Array[][] = [];
  const lanes: Lane[] = [];
  const reasons: CloseReason[] = [];
  connection.receive({
    message(parts, lane) {
      assert.equal(reasons.length, 0, 'a message after the close');
      received.push(parts);
      lanes.push(lane);
    },
    close: (reason) => reasons.push(reason),
  });
  return { received, lanes, reasons };
}

export function pattern(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, x = seed + 1; i < words.length; i++) words[i] = x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  return new Uint8Array(words.buffer, 0, length);
}

export function number(n: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

export function digest(message: Message): string {
  const hash = createHash('sha1');
  for (const part of message) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until `value` has stayed the same for many turns of the event loop. */
export async function settled(value: () => number): Promise<void> {
  let last = value();
  for (let same = 0; same < 20; same++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (value() !== last) same = 0;
    last = value();
  }
}
