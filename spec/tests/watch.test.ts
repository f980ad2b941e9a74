/** How a supervisor notices that a task takes long, and that it looks no more often than that takes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BEGUN, CALL, CLIENT, DOZING, memoryIn, newMemory, SINCE } from '../../core/supervisor/memory.ts';
import { Watch } from '../../core/supervisor/watch.ts';

const BEAT = 1_000;

let memory: ReturnType<typeof memoryIn>;
let told: [client: number, call: number, since: number][];
let watch: Watch;
let next: number;
/** Times that the engine would have woken the supervisor. */
let woken: number;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  memory = memoryIn(newMemory());
  told = [];
  next = woken = 0;
  watch = new Watch(memory, (...one) => told.push(one));
  watch.start(BEAT);
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

/** As the engine says it. */
function begin(): number {
  const { ints, numbers } = memory;
  ints[CLIENT] = 3;
  numbers[SINCE] = Date.now();
  ints[CALL] = ++next;
  ints[BEGUN]!++;
  if (ints[DOZING]) {
    ints[DOZING] = 0;
    woken++;
    watch.woken();
  }
  return next;
}
function end(): void {
  memory.numbers[SINCE] = 0;
  memory.ints[CALL] = 0;
}
/** ms, with heartbeats. */
function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 100) {
    vi.advanceTimersByTime(Math.min(left, 100));
    if (Date.now() % BEAT < 100) watch.beat();
  }
}

test('a task that takes long is told once, soon', () => {
  vi.setSystemTime(10_000);
  pass(5_000);
  const since = Date.now();
  begin();
  expect(told).toEqual([]);
  pass(300);
  expect(told).toEqual([[3, 1, since]]);
  pass(10_000);
  end();
  pass(1_000);
  expect(told).toHaveLength(1);
  begin();
  pass(300);
  expect(told.map(([, call]) => call)).toEqual([1, 2]);
});

test('one that begins among many short ones is told within two heartbeats', () => {
  vi.setSystemTime(10_000);
  for (let i = 0; i < 400; i++) {
    begin();
    pass(20);
    end();
  }
  const before = told.length;
  const call = begin();
  pass(2 * BEAT);
  expect(told.slice(before).map(([, id]) => id)).toEqual([call]);
});

test('while nothing runs it has no timer, and while short ones run hardly any', () => {
  vi.setSystemTime(10_000);
  pass(10_000);
  expect([vi.getTimerCount(), memory.ints[DOZING]]).toEqual([0, 1]);
  for (let i = 0; i < 1_000; i++) {
    begin();
    pass(20);
    end();
  }
  expect(told).toEqual([]);
  expect(woken).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
  pass(5_000);
  expect([vi.getTimerCount(), memory.ints[DOZING]]).toEqual([0, 1]);
});
