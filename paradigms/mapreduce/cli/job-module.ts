/** The job that a module exports. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../../core/index.ts';
import { importModule } from '../../../core/paradigm/plugins.ts';
import type { JobSpec } from '../types.ts';

const ADVICE =
  'A job module has `export default { map(record, ctx) { … }, reduce(key, values, ctx) { … } }`, a list of such jobs, or exports map and reduce by name';

/** What a module that has no default export may export. */
const PARTS = [
  ...['map', 'combine', 'reduce', 'partition', 'sort', 'group', 'reducers', 'setup', 'teardown'],
  ...['attempts', 'speculate', 'skipBadRecords'],
];

/** What other systems call them. A module may export what it likes, but whoever exports these means a part of the job. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  mapper: 'map',
  reducer: 'reduce',
  combiner: 'combine',
  partitioner: 'partition',
  sorter: 'sort',
  comparator: 'sort',
};

/** @throws UsageError where there is none. */
export async function jobIn(script: string): Promise<JobSpec | readonly JobSpec[]> {
  if (!statSync(script, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`Cannot read the job ${script}; give the path of a .ts or .js file`);
  let module: Record<string, unknown>;
  try {
    module = (await importModule(path.resolve(script))) as Record<string, unknown>;
  } catch (cause) {
    const { name, message } = cause as Error;
    throw new UsageError(
      `The job ${pathToFileURL(path.resolve(script)).pathname} cannot be loaded: ${name}: ${message}`,
      { cause },
    );
  }
  const given = module.default ?? partsIn(module, script);
  const jobs = [given].flat() as unknown[];
  if (!jobs.length || !jobs.every(isJob)) throw new UsageError(`${script} exports no job. ${ADVICE}`);
  return given as JobSpec;
}

function partsIn(module: Record<string, unknown>, script: string): object {
  for (const [theirs, ours] of Object.entries(ELSEWHERE))
    if (typeof module[theirs] === 'function')
      throw new UsageError(`${script} exports '${theirs}', which is called '${ours}' here`);
  return Object.fromEntries(Object.entries(module).filter(([name]) => PARTS.includes(name)));
}

function isJob(value: unknown): boolean {
  const { map, reduce } = (value ?? {}) as JobSpec;
  return [map, reduce].some((fn) => typeof fn === 'function');
}
