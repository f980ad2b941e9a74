/** Names of MPI that are plain values, so that they travel with functions that capture them. */

/** A receive that takes from any rank. */
export const ANY_SOURCE = -1;
/** A receive that takes any tag. */
export const ANY_TAG = -1;
/** Nobody: sends to it are done at once, receives from it give null. */
export const PROC_NULL = -2;
/** Of collectives between two groups: this rank is the root; the others of its group say PROC_NULL. */
export const ROOT = -3;
/** The largest tag. */
export const MAX_TAG = 0x7fff_ffff;
