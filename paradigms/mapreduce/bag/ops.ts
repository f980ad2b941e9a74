/** What is done with the records of a bag one after the other, without a shuffle: plain data, but for functions. */
export type Op =
  | { readonly kind: 'map'; readonly f: (record: any) => unknown }
  | { readonly kind: 'flatMap'; readonly f: (record: any) => unknown }
  | { readonly kind: 'filter'; readonly f: (record: any) => unknown }
  | { readonly kind: 'partitions'; readonly f: (records: AsyncIterable<any>) => unknown }
  | { readonly kind: 'sample'; readonly fraction: number; readonly seed: number }
  /** Of each partition, in no order. */
  | { readonly kind: 'top'; readonly n: number; readonly compare: (a: any, b: any) => number }
  /** The first ones of each partition. */
  | { readonly kind: 'take'; readonly n: number }
  /** Each partition becomes one record. */
  | { readonly kind: 'fold'; readonly zero: () => unknown; readonly add: (sum: any, record: any) => unknown }
  /** Makes pairs of a record and its number; `first`: those of the first record of each partition. */
  | { readonly kind: 'number'; readonly first: readonly number[] }
  /** Each record becomes what is accumulated with it; `before`: what is by each partition's first one, in a list, or nothing. */
  | {
      readonly kind: 'accumulate';
      readonly f: (sum: any, record: any) => unknown;
      readonly before: readonly (readonly [unknown] | undefined)[];
    };

/** How what comes out of the last one is emitted. */
export type Out =
  | { readonly kind: 'record' }
  /** `what` wants pairs. */
  | { readonly kind: 'pair'; readonly what: string }
  /** Of a join: one side of it. */
  | { readonly kind: 'side'; readonly what: string; readonly side: number }
  | { readonly kind: 'by'; readonly f: (record: any) => unknown }
  | { readonly kind: 'key' }
  /** Under the number of its partition. */
  | { readonly kind: 'partition' }
  /** To so many partitions in turn. */
  | { readonly kind: 'turns'; readonly n: number };
