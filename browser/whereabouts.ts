/** Stands in for `core/functions/whereabouts.ts`: nothing in a browser tells where a function was written. */
import type { Source } from '../core/functions/source.ts';
import type { Code } from '../core/functions/travellers.ts';

export function wasWritten(_fn: Code, _source: Source, _factory: { hash: string; text: string }): void {}
