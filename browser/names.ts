/** Minified, classes lose their names; those of errors travel. Comes before everything that reads them. */
import { Deferred } from '../core/deferred/index.ts';
import * as errors from '../core/errors.ts';

for (const [name, value] of Object.entries({ ...errors, Deferred })) {
  Object.defineProperty(value, 'name', { value: name, configurable: true });
}
