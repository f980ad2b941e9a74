/** The first records of a bag that needs no shuffle: of few splits at first, and of more if they do not have enough. */
import { planSplits, type Split, splitsAsSource } from '../sources/index.ts';
import { type BagOptions, Execution, type Run } from './execution.ts';
import { branchesOf, type Node, type SourceNode } from './graph.ts';

const SPLIT_SIZE = 4 << 20;
const GROWTH = 4;

export async function takeFromSplits(node: Node, n: number, run: Run, options: BagOptions): Promise<unknown[]> {
  const taken: unknown[] = [];
  const { splitSize = SPLIT_SIZE, signal } = options;
  for (const { origin, ops } of branchesOf(node)) {
    const splits = planSplits((origin as SourceNode).source, { splitSize, ...(signal && { signal }) });
    try {
      for (let many = 1; ; many *= GROWTH) {
        const some = await next(splits, many);
        if (some.length === 0) break;
        const source = { kind: 'source', source: splitsAsSource(some) } as const;
        const head = [...ops, { kind: 'take', n: n - taken.length } as const].reduce<Node>(
          (parent, op) => ({ kind: 'narrow', parent, op }),
          source,
        );
        await using execution = new Execution(run, options);
        for (const record of await execution.records({ node: head, out: { kind: 'record' } }))
          if (taken.push(record) === n) return taken;
      }
    } finally {
      await splits.return(undefined);
    }
  }
  return taken;
}

async function next(splits: AsyncGenerator<Split>, many: number): Promise<Split[]> {
  const some: Split[] = [];
  while (some.length < many) {
    const { done, value } = await splits.next();
    if (done) break;
    some.push(value);
  }
  return some;
}
