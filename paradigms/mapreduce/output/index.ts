export { OutputError, OutputExistsError } from './errors.ts';
export { abortOutput, commitOutput, prepareOutput } from './folder.ts';
export { openPart, type PartWriter } from './part-writer.ts';
export { type OutputOptions, type OutputSpec, outputTo } from './spec.ts';
