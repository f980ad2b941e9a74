/** The paradigms that come with tutti, each a plug-in through the public door, as one that you write yourself. */
export type { Farm } from './farm/client/farm.ts';
export type { Halt } from './farm/client/halt.ts';
export type { MapOptions, MapProgress, MapResult, Outcome } from './farm/client/map.ts';
export type { Stage } from './farm/client/pipeline.ts';
export { FarmClosedError, HaltedError, TaskKillsEnginesError, UnsatisfiableError } from './farm/errors.ts';
export { taskFarm } from './farm/index.ts';
export type { Explanation, FarmEvent, FarmStats } from './farm/messages.ts';
export type { FarmOptions, TaskOptions } from './farm/options.ts';
export * from './mapreduce/index.ts';
export * from './mpi/index.ts';
export * from './tuplespace/index.ts';
