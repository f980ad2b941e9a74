export { InputError } from './errors.ts';
export type { Compression, OnBad, OnInvalid } from './format.ts';
export type { CsvOptions, FixedOptions, JsonlOptions, PairsOptions, Patterns, SourceOptions } from './options.ts';
export { inputSize, type PlanOptions, planSplits } from './plan.ts';
export { type Reading, readBatches, readSplit } from './read.ts';
export { readStream } from './read-stream.ts';
export {
  csv,
  type FileBytes,
  type FileText,
  files,
  fixed,
  from,
  jsonl,
  lines,
  nLines,
  pairs,
  type Source,
  splitsAsSource,
} from './source.ts';
export type { Split } from './split.ts';
