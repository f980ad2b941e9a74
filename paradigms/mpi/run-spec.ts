/** What a client tells the engines of a run. */

export interface RunSpec {
  /** Of the world: below 2³¹. */
  readonly world: number;
  /** Engine ids, by rank. */
  readonly engines: readonly number[];
  /** Their hosts. */
  readonly hosts: readonly string[];
  /** Ranks that are threads of one process, each with two or more. */
  readonly shared: readonly (readonly number[])[];
}

/** The name by which calls find the engine half's way into a world. */
export const ENTER = 'enterMpiWorld';
