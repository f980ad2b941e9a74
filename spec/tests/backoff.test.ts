import fc from 'fast-check';
import { backoff, UsageError } from 'tutti';
import { expect, test } from 'vitest';

test('waits grow by the factor, up to the most', () => {
  const pace = backoff({ first: 10, factor: 2, most: 50, jitter: 0 });
  expect([0, 1, 2, 3, 4, 10_000].map((attempts) => pace.delay(attempts))).toEqual([10, 20, 40, 50, 50, 50]);
});

test('jitter takes away and adds the same part at most', () => {
  const pace = backoff({ first: 100, factor: 1, most: 100, jitter: 0.25 });
  expect([0, 0.5, 1].map((chance) => pace.delay(0, () => chance))).toEqual([75, 100, 125]);
});

test('every wait is within its bounds, and none is shorter for more failures', () => {
  const options = fc.record({
    first: fc.double({ min: 0.001, max: 1_000, noNaN: true }),
    factor: fc.double({ min: 1, max: 1e6, noNaN: true }),
    more: fc.double({ min: 0, max: 1e8, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(options, fc.nat(5_000), chance, ({ first, factor, more, jitter }, attempts, luck) => {
      const most = first + more;
      const pace = backoff({ first, factor, most, jitter });
      const ms = pace.delay(attempts, () => luck);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(most * (1 + jitter) * 1.000001);
      expect(pace.delay(attempts + 1, () => luck)).toBeGreaterThanOrEqual(ms);
    }),
  );
});

test.each([
  { first: 0 },
  { first: 30 },
  { factor: 0.9 },
  { most: 2 ** 31 },
  { jitter: 1.1 },
  { jitter: -0.1 },
  { factor: Number.NaN },
])('%o makes no sense', (wrong) => {
  expect(() => backoff({ first: 10, factor: 2, most: 20, jitter: 0, ...wrong })).toThrow(UsageError);
});
