/** How often an engine tells how it is. */
import { expect, test } from 'vitest';
import { Vitals } from '../../core/engine/vitals.ts';

test.each([
  [1, 1],
  [32, 1],
  [33, 2],
  [128, 4],
  [1_000, 10],
])('of %i engines each tells how it is at every %ith heartbeat, for all that passed', (engines, every) => {
  const vitals = new Vitals({ queued: () => 0, kept: () => 0, peers: () => ({ sent: 0, received: 0 }) });
  const due = Array.from({ length: 3 * every }, () => vitals.due(engines));
  expect(due).toEqual(due.map((_, i) => ((i + 1) % every ? 0 : every)));
});
