export type { Cell, Prepared } from './cell.ts';
export { prepare } from './prepare.ts';
export { splitTag } from './tag.ts';
