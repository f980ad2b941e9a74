/**
 * A job as its engines know it: steps, and the stages that they make. A stage is what one task does without waiting for others: it reads
 * records, or what the stage before has shuffled, sends them through functions, and shuffles again or writes.
 */
import type { OutputSpec } from './output/index.ts';
import type { JobSpec } from './types.ts';

export interface Step extends Omit<JobSpec, 'reducers'> {
  /** 0: there is no shuffle. */
  readonly reducers: number;
}

export interface Op {
  readonly phase: 'map' | 'reduce';
  readonly step: number;
}

export interface Stage {
  /** The step whose shuffle it reads; undefined: it reads the input. */
  readonly reads: number | undefined;
  readonly ops: readonly Op[];
  /** The step whose shuffle it writes; undefined: it is the last one. */
  readonly writes: number | undefined;
}

/** It travels once to each engine. */
export interface Plan {
  readonly job: string;
  readonly client: number;
  readonly steps: readonly Step[];
  /** One for each input. */
  readonly maps: readonly JobSpec['map'][];
  readonly stages: readonly Stage[];
  readonly output: OutputSpec | undefined;
  /** Bytes that an engine may use for the job. */
  readonly memory: number;
  /** Where temporary files go. */
  readonly temp: string | undefined;
  /** Where what tasks leave for later stages is kept. */
  readonly checkpoint: string | undefined;
}

export function stagesOf(steps: readonly Step[]): Stage[] {
  const stages: Stage[] = [];
  let reads: number | undefined;
  let ops: Op[] = [];
  steps.forEach(({ reducers }, step) => {
    ops.push({ phase: 'map', step });
    if (!reducers) return;
    stages.push({ reads, ops, writes: step });
    reads = step;
    ops = [{ phase: 'reduce', step }];
  });
  return [...stages, { reads, ops, writes: undefined }];
}
