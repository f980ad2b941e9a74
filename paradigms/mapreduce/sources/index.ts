export { InputError } from './errors.ts';
export type { Compression, OnBad, OnInvalid } from './format.ts';
export { inputSize, type PlanOptions, planSplits } from './plan.ts';
export { type Reading, readBatches, readSplit } from './read.ts';
export {
  type CsvOptions,
  csv,
  type FileBytes,
  type FileText,
  files,
  from,
  type JsonlOptions,
  jsonl,
  lines,
  nLines,
  type Patterns,
  type Source,
  type SourceOptions,
  splitsAsSource,
} from './source.ts';
export type { Split } from './split.ts';
