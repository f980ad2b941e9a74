export { bagsOn } from './bag.ts';
export type { Bag, BagOptions, JoinKind, KeptBag, Reducers, SortOptions } from './types.ts';
