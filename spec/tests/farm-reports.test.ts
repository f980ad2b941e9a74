/** When an engine tells what has ended: at once, or together with what ends soon. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineHost } from '../../core/index.ts';
import { encode } from '../../core/wire/codec.ts';
import type { Item } from '../../paradigms/farm/engine/item.ts';
import { Reports } from '../../paradigms/farm/engine/reports.ts';
import { ReportLetter } from '../../paradigms/farm/letters.ts';
import { Ending } from '../../paradigms/farm/messages.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @returns what it sends, as tickets of each message, and how a task ends */
function reporter() {
  const sent: number[][] = [];
  const rest = (): never => {
    throw new Error('Nothing comes beside it');
  };
  const tellBytes = (_: string, parts: readonly Uint8Array[]): void =>
    void sent.push([...ReportLetter.read(parts, rest as never).tickets]);
  const reports = new Reports({ controller: { tellBytes }, parcel: encode } as unknown as EngineHost);
  let ticket = 0;
  const ends = (ending: Ending = Ending.OK): void =>
    reports.add({ ticket: ++ticket, started: 1, said: 0 } as Item, ending, 1, undefined, 0);
  return { reports, sent, ends };
}

test('what ends waits for what ends soon, but not for longer than is allowed', () => {
  const { reports, sent, ends } = reporter();
  for (let i = 0; i < 3; i++) {
    ends();
    expect(reports.offer(100, 250)).toBe(i === 2);
    vi.advanceTimersByTime(100);
  }
  expect(sent).toEqual([[1, 2, 3]]);
  ends();
  expect(reports.offer(100, 250)).toBe(false);
  vi.advanceTimersByTime(249); // the other one takes longer than was expected
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(sent.slice(1)).toEqual([[4]]);
  vi.advanceTimersByTime(1_000);
  expect(sent).toHaveLength(2);
});

test('it does not where nothing else runs, or nobody knows for how long', () => {
  const { reports, sent, ends } = reporter();
  ends();
  expect(reports.offer(undefined, 250)).toBe(true);
  expect(sent).toEqual([[1]]);
  expect(reports.offer(undefined, 250)).toBe(false);
});

test('nor a failure, or what goes with it', () => {
  const { reports, sent, ends } = reporter();
  ends();
  reports.offer(100, 250);
  ends(Ending.FAILED);
  expect(reports.offer(100, 250)).toBe(true);
  expect(sent).toEqual([[1, 2]]);
  ends();
  expect(reports.offer(100, 250)).toBe(false);
});
