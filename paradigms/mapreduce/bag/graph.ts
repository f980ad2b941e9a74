/** What a bag is made of. Nothing runs before somebody asks for its records. */
import type { Kept } from '../client/kept.ts';
import type { Source } from '../sources/index.ts';
import type { JobSpec } from '../types.ts';
import type { Op, Out } from './ops.ts';

export interface SourceNode {
  readonly kind: 'source';
  readonly source: Source<any>;
}
/** One step with a shuffle, whose results are pairs; `then` makes records of them. */
export interface WideNode {
  readonly kind: 'wide';
  readonly inputs: readonly End[];
  readonly step: JobSpec;
  readonly then: readonly Op[];
}
/** Records with their numbers, or accumulated: what happens in a partition follows from those before. */
export interface OrderedNode {
  readonly kind: 'ordered';
  readonly parent: Node;
  /** Undefined: numbers. */
  readonly accumulate: ((sum: any, record: any) => unknown) | undefined;
}
/** Records that are on the engines already. */
interface KeptNode {
  readonly kind: 'kept';
  readonly kept: Kept;
}
export type Origin = SourceNode | WideNode | OrderedNode | KeptNode;
export type Node =
  | Origin
  | { readonly kind: 'narrow'; readonly parent: Node; readonly op: Op }
  | { readonly kind: 'union'; readonly parents: readonly Node[] };

/** A node, and how its records are emitted. */
export interface End {
  readonly node: Node;
  readonly out: Out;
}

/** Records of a node come from one or more of these, in their order. */
interface Branch {
  readonly origin: Origin;
  readonly ops: readonly Op[];
}

export const SECOND: Op = { kind: 'map', f: (pair: [unknown, unknown]) => pair[1] };
export const FIRST: Op = { kind: 'map', f: (pair: [unknown, unknown]) => pair[0] };

export function branchesOf(node: Node): Branch[] {
  switch (node.kind) {
    case 'source':
      return [{ origin: node, ops: [] }];
    case 'wide':
      return [{ origin: node, ops: node.then }];
    case 'ordered':
    case 'kept':
      return [{ origin: node, ops: [SECOND] }];
    case 'union':
      return node.parents.flatMap(branchesOf);
    case 'narrow':
      return branchesOf(node.parent).map(({ origin, ops }) => ({ origin, ops: [...ops, node.op] }));
  }
}
