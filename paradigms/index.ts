/** The paradigms that come with tutti, each a plug-in through the public door, as one that you write yourself. */
export * from './tuplespace/index.ts';
