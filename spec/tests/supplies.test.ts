import { expect, test } from 'vitest';
import { callKey } from '../../core/call-key.ts';
import { Values } from '../../core/engine/values.ts';
import { Texts } from '../../core/functions/texts.ts';

const MIB = 1 << 20;

test('code that nobody waits for makes room, least recently used first; what is waited for stays', () => {
  const dropped: string[] = [];
  const texts = new Texts((hash) => dropped.push(hash));
  for (const hash of ['a', 'b', 'c']) texts.set(hash, hash.repeat(20 * MIB));
  texts.pin(['a']); // used, and waited for
  texts.pin(['b']); // used
  texts.unpin(['b']);
  texts.set('d', 'd'.repeat(20 * MIB));
  expect(dropped).toEqual(['c']);
  texts.set('e', 'e'.repeat(20 * MIB));
  expect(dropped).toEqual(['c', 'b']);
  texts.set('f', 'f'.repeat(60 * MIB));
  expect([...'abcdef'].filter((hash) => texts.has(hash))).toEqual(['a']);
  texts.pin(['g']); // on its way
  texts.set('g', 'g'.repeat(60 * MIB));
  expect(texts.has('g')).toBe(true);
  texts.unpin(['a', 'g']);
  expect([texts.has('a'), texts.has('g')]).toEqual([false, true]);
});

test('who waits for a result that will not come is told', () => {
  const values = new Values();
  const told: string[] = [];
  const wait = (client: number, call: number): void =>
    values.whenSettled(callKey(client, call), client, call, (outcome) =>
      told.push(`${client}.${call} ${outcome ? 'came' : 'is gone'}`),
    );
  wait(1, 4); // before anything of that client has arrived
  wait(1, 5);
  values.arrived(callKey(1, 5), 1, 5);
  expect(told).toEqual(['1.4 is gone']);
  values.settled(callKey(1, 5), { ok: true, payload: { codec: 'raw', parts: [] }, bytes: 0 }, false);
  wait(1, 9);
  wait(2, 1);
  values.clientLeft(1);
  wait(1, 10);
  expect(told).toEqual(['1.4 is gone', '1.5 came', '1.9 is gone', '1.10 is gone']);
});
