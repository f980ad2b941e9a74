/** Commands with placeholders, as in GNU parallel: `gzip -k {}`. */
import path from 'node:path';

const PLACEHOLDER = /\{(\/\.|\/\/|\.|\/|#)?\}/g;

/** The command for an item. Without any placeholder the item comes at the end. */
export function commandFor(template: string, item: string, seq: number): string {
  const whole = template.search(PLACEHOLDER) < 0 ? `${template} {}` : template;
  return whole.replace(PLACEHOLDER, (_, what?: string) => quote(replacement(what, item, seq)));
}

function replacement(what: string | undefined, item: string, seq: number): string {
  const bare = (file: string): string => file.slice(0, file.length - path.extname(file).length);
  if (what === '#') return String(seq);
  if (what === '.') return bare(item);
  if (what === '/') return path.basename(item);
  if (what === '//') return path.dirname(item);
  if (what === '/.') return bare(path.basename(item));
  return item;
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
