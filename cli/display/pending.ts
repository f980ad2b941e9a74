/** Results of calls, as what they are: their value comes with `await`. */
import type { AsyncResult } from '../../core/client/async-result.ts';
import { ranges } from '../ranges.ts';

export function pendingText(result: AsyncResult<any>): string {
  const where = result.targets.filter((id) => id >= 0);
  return `AsyncResult ${result.id}: ${result.status}${where.length ? ` on [${ranges(where, ',')}]` : ''}`;
}
