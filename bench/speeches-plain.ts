/** A part of the speeches in a plain process that has them already: what is to be had of two cores. */
import { serially, speeches } from './speech.ts';

const { texts, corpus } = speeches();
process.on('message', ([part, parts]: [number, number]) => {
  const some = texts.filter((_, i) => i % parts === part);
  serially(some, corpus);
  process.send!(serially(some, corpus));
});
process.send!('ready');
