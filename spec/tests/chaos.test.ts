/** Ten seconds of kills, freezes, cuts and restarts; `npm run chaos` has more of it. */
import { expect, test } from 'vitest';
import { chaos } from '../chaos/driver.ts';
import { seedOf } from '../fuzz/random.ts';

test('every call settles as it may, runs once at most, in order, and nothing is left behind', async () => {
  const report = await chaos({ seconds: 10, seed: seedOf('chaos') });
  process.stderr.write(`chaos: ${JSON.stringify({ ...report, wrong: undefined })}\n`);
  expect(report.wrong).toEqual([]);
  expect(report.tally.OK).toBeGreaterThan(100);
}, 180_000);
