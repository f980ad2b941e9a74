/**
 * The paradigms that come with tutti, each a plug-in through the public door, as one that you write yourself. None is
 * built in yet: views (`client.all`) are part of the core.
 */
export * from './mpi/index.ts';
