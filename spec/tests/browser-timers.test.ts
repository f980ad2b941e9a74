/** The timers of a page, whose browser holds its own back: a page in the background. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

type Timers = typeof import('../../browser/timers.ts');
let timers: Timers;
let now = 0;

beforeEach(async () => {
  now = 1_000;
  vi.resetModules();
  vi.stubGlobal('setTimeout', () => 0);
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  timers = await import('../../browser/timers.ts');
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Something was heard `ms` later. */
async function hear(ms: number): Promise<void> {
  now += ms;
  timers.catchUp();
  await new Promise<void>((resolve) => timers.setImmediate(resolve));
}

test('what is due runs when something is heard, once; what repeats goes on', async () => {
  const ran: string[] = [];
  timers.setTimeout((what: string) => ran.push(what), 500, 'once');
  const beat = timers.setInterval(() => ran.push('beat'), 1_000);
  await hear(400);
  expect(ran).toEqual([]);
  await hear(300);
  expect(ran).toEqual(['once']);
  await hear(300);
  await hear(1_000);
  expect(ran).toEqual(['once', 'beat', 'beat']);
  timers.clearInterval(beat);
  await hear(5_000);
  expect(ran).toHaveLength(3);
});

test('a timer that is stopped, or begins anew, is not due', async () => {
  const ran: string[] = [];
  const stopped = timers.setTimeout(() => ran.push('stopped'), 500);
  const anew = timers.setTimeout(() => ran.push('anew'), 500);
  timers.clearTimeout(stopped);
  now += 400;
  anew.refresh();
  await hear(400);
  expect(ran).toEqual([]);
  await hear(300);
  expect(ran).toEqual(['anew']);
});
