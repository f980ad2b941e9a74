import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterEvent } from '../../core/cluster-info.ts';
import { CallCount } from '../../core/controller/call-counts.ts';
import { watchEngines } from '../../core/controller/liveness.ts';
import { type EngineRecord, Registry } from '../../core/controller/registry.ts';
import { TestClock } from '../../core/deferred/index.ts';
import type { EngineLostError } from '../../core/errors.ts';
import { mintKey } from '../../core/wire/handshake.ts';
import type { Session } from '../../core/wire/session.ts';

const BEAT = 1_000;

let clock: TestClock;
let events: ClusterEvent[];
let errors: EngineLostError[];
let registry: Registry;
let watch: { stop(): void };

beforeEach(() => {
  clock = new TestClock();
  events = [];
  errors = [];
  registry = new Registry({
    changed: (event) => events.push(event),
    lost: (_, error) => errors.push(error),
  });
  watch = watchEngines(registry, { beat: BEAT, misses: 3, clock });
});
afterEach(() => watch.stop());

/** An engine that has joined, and what is to be seen of its session. */
function engine(): { record: EngineRecord; seen: { connected: boolean; lastSeen: number }; abandoned: string[] } {
  const record = registry.expect(mintKey('e'));
  const abandoned: string[] = [];
  const seen = { connected: true, lastSeen: clock.now(), abandon: (reason: string) => abandoned.push(reason) };
  record.session = seen as unknown as Session;
  registry.joined(record, {});
  return { record, seen, abandoned };
}

/** Beats go by; those in `beating` are heard at each. */
function pass(beats: number, ...beating: { seen: { lastSeen: number } }[]): void {
  for (let i = 0; i < beats; i++) {
    for (const { seen } of beating) seen.lastSeen = clock.now();
    clock.advance(BEAT);
  }
}

const states = (id: number) =>
  events.flatMap((e) => ('engine' in e && typeof e.engine === 'object' && e.engine.id === id ? [e.engine.state] : []));

describe('who is still there', () => {
  test('an engine that beats stays alive', () => {
    const a = engine();
    pass(100, a);
    expect(states(0)).toEqual(['alive']);
  });

  test('one that is cut off is lost after three beats, not before', () => {
    const [a, b] = [engine(), engine()];
    a.seen.connected = false;
    pass(2, b);
    expect(states(0)).toEqual(['alive']);
    pass(1, b);
    expect(states(0)).toEqual(['alive', 'lost']);
    expect(states(1)).toEqual(['alive']);
    expect(errors.map((e) => e.message)).toEqual([
      'Engine 0 was lost: disconnected, and not back after 3 heartbeats of 1000 ms',
    ]);
    expect(a.abandoned).toHaveLength(1);
    expect(a.record.session).toBeUndefined();
    pass(10, b);
    expect(errors).toHaveLength(1);
  });

  test('one that comes back in time starts counting anew', () => {
    const a = engine();
    for (let i = 0; i < 5; i++) {
      a.seen.connected = false;
      pass(2);
      a.seen.connected = true;
      pass(1, a);
    }
    expect(states(0)).not.toContain('lost');
  });

  test('silence with work is business, however long', () => {
    const a = engine();
    a.record.running.set(1, {
      ...{ client: 1, call: 1, op: 'apply', label: '', codec: 'msgpack', only: true },
      ...{ count: new CallCount('apply'), began: 0 },
    });
    pass(500);
    expect(states(0)).toEqual(['alive', 'busy']);
    pass(1, a);
    expect(states(0)).toEqual(['alive', 'busy', 'alive']);
  });

  test('silence without work is a freeze after three missed beats, and a loss after thirty', () => {
    const a = engine();
    pass(3);
    expect(states(0)).toEqual(['alive']);
    pass(1);
    expect(states(0)).toEqual(['alive', 'frozen']);
    pass(26);
    expect(states(0)).toEqual(['alive', 'frozen']);
    pass(1);
    expect(states(0)).toEqual(['alive', 'frozen', 'lost']);
    expect(a.abandoned).toEqual(['silent for 30 heartbeats of 1000 ms']);
  });

  test('a frozen engine that thaws is alive again', () => {
    const a = engine();
    pass(6);
    pass(1, a);
    expect(states(0)).toEqual(['alive', 'frozen', 'alive']);
  });
});

describe('the observer slept', () => {
  test('nobody is lost for it, even if it sleeps again and again', () => {
    const [a, b] = [engine(), engine()];
    b.seen.connected = false;
    for (let i = 0; i < 20; i++) {
      clock.advance(30 * BEAT);
      // What arrived meanwhile is read after the round, before the next.
      a.seen.lastSeen = clock.now();
    }
    expect(errors).toEqual([]);
    expect(states(0)).toEqual(['alive']);
  });

  test('those that are really gone are lost three waking beats later', () => {
    const a = engine();
    a.seen.connected = false;
    clock.advance(30 * BEAT);
    pass(2);
    expect(errors).toEqual([]);
    pass(1);
    expect(errors).toHaveLength(1);
  });

  test('a round that is a little late counts', () => {
    const a = engine();
    a.seen.connected = false;
    for (let i = 0; i < 3; i++) clock.advance(BEAT * 1.4);
    expect(errors).toHaveLength(1);
  });
});

test('stopping leaves no timer', () => {
  watch.stop();
  expect(clock.pending).toBe(0);
});
