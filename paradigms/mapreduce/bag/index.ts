export { bagsOn } from './bag.ts';
export type { Bag, BagOptions, JoinKind, Reducers, SortOptions } from './types.ts';
