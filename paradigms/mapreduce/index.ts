export type { Bag, BagOptions, JoinKind, KeptBag, Reducers, SortOptions } from './bag/index.ts';
export { Kept } from './client/kept.ts';
export { type MapReduce, type Run, runInline } from './client/map-reduce.ts';
export type { JobInput, MappedInput, RunOptions as JobOptions } from './client/options.ts';
export { type Commands, commands } from './commands.ts';
export { MapReduceError, SpillError } from './errors.ts';
export { OutputError, OutputExistsError, type OutputOptions, type OutputSpec, outputTo } from './output/index.ts';
export { mapReduce } from './paradigm.ts';
export {
  type Compression,
  type CsvOptions,
  csv,
  type FileBytes,
  type FileText,
  type FixedOptions,
  files,
  fixed,
  from,
  InputError,
  type JsonlOptions,
  jsonl,
  lines,
  nLines,
  type OnBad,
  type OnInvalid,
  type PairsOptions,
  type Patterns,
  pairs,
  type Source,
  type SourceOptions,
} from './sources/index.ts';
export type * from './types.ts';
