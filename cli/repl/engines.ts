/** Code on the engines: every target's value, grouped. */

import type { AsyncResult } from '../../core/client/async-result.ts';
import { CompositeError } from '../../core/errors.ts';
import { grouped } from '../display/grouped.ts';
import type { Screen } from './screen.ts';

/** Shows the values of those that have one, and rejects with the errors of the others. */
export async function shownValues(
  result: AsyncResult<any>,
  screen: Screen,
  wait: <T>(promise: Promise<T>) => Promise<T>,
): Promise<unknown[]> {
  const parts = (await wait(result.settled())).sort((a, b) => a.engine - b.engine);
  const values = parts.flatMap((part) =>
    part.status === 'fulfilled' ? [{ engine: part.engine, value: part.value as unknown }] : [],
  );
  const text = values.length ? grouped(values, screen.look) : '';
  if (text) screen.show(text);
  const reasons = parts.flatMap((part) => (part.status === 'rejected' ? [part.reason] : []));
  if (reasons.length === 1) throw reasons[0]!;
  if (reasons.length) throw new CompositeError(reasons, parts.length);
  return values.map(({ value }) => value);
}
