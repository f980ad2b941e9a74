/** Which collective is called, in one number: it goes with each message of it, so that those who call another one are found out. */

import type { Op } from './op-names.ts';
import { opCode, opOfCode } from './ops.ts';

const NAMES = [
  'barrier',
  'bcast',
  'scatter',
  'gather',
  'allgather',
  'alltoall',
  'reduce',
  'allreduce',
  'scan',
  'exscan',
  'reduceScatter',
  'scatterv',
  'gatherv',
  'allgatherv',
  'alltoallv',
  'bcastBuffer',
  'dup',
  'split',
  'create',
  'cart',
  'window',
  'fence',
  'neighborAllgather',
  'neighborAlltoall',
  'free',
  'spawn',
] as const;

export type CollectiveName = (typeof NAMES)[number];

/** Of the algorithm, for its own use: not compared. */
const ALGORITHM_BITS = 5;

export function signatureOf(name: CollectiveName, root: number, op: Op | undefined): number {
  const which = NAMES.indexOf(name) | ((op === undefined ? 0 : opCode(op)) << 6) | ((root + 1) << 11);
  return which << ALGORITHM_BITS;
}

export function withAlgorithm(signature: number, algorithm: number): number {
  return signature | algorithm;
}

export function algorithmOf(signature: number): number {
  return signature & ((1 << ALGORITHM_BITS) - 1);
}

export function sameCall(a: number, b: number): boolean {
  return a >>> ALGORITHM_BITS === b >>> ALGORITHM_BITS;
}

export function describeCall(signature: number): string {
  const which = signature >>> ALGORITHM_BITS;
  const root = (which >>> 11) - 1;
  const op = (which >>> 6) & 31;
  const details = [...(op ? [opOfCode(op)] : []), ...(root >= 0 ? [`root ${root}`] : [])];
  return `${NAMES[which & 63] ?? 'something unknown'}(${details.join(', ')})`;
}
