/** Stands in for `core/functions/builtins.ts`: a page has no modules of Node. */
import type { Form } from '../core/wire/forms.ts';

export function builtinForm(_value: unknown): Form | undefined {
  return undefined;
}
