/** Stages in a row: an item's values go from engine to engine, and several items are under way at a time. */
import { type AsyncResult, UsageError } from '../../../core/index.ts';
import { checkTaskOptions, type TaskOptions } from '../options.ts';
import type { Farm } from './farm.ts';
import { type MapHome, type MapOptions, type MapResult, type Source, streamOf } from './map.ts';

/** A function of the value before, and perhaps how its tasks are to be handled. */
export type Stage = ((value: any) => unknown) | readonly [fn: (value: any) => unknown, options: TaskOptions];

export function pipelineOf(
  home: MapHome,
  farm: Farm,
  stages: readonly Stage[],
): (source: Source<any>, options?: MapOptions) => MapResult<any> {
  if (!stages.length) throw new UsageError('pipeline takes functions, one a stage; got none');
  const steps = stages.map((stage, i) => {
    const [fn, options] = typeof stage === 'function' ? [stage, {}] : stage;
    if (typeof fn !== 'function') throw new UsageError(`Stage ${i} of the pipeline is no function`);
    checkTaskOptions(`stage ${i}`, options);
    return farm.with(options).wrap(fn) as (value: unknown) => AsyncResult<any, any>;
  });
  return (source, options = {}) =>
    streamOf(home, source, options, (item) => {
      let value: unknown = item;
      const results = steps.map((step) => (value = step(value)) as AsyncResult<any, any>);
      // Who looks at the last one hears of the others' failures, too.
      for (const result of results.slice(0, -1)) result.catch(() => {});
      return results.at(-1)!;
    });
}
