/**
 * The text of a tagged template, with a parameter's name where each of its `n` values stood. The text is taken as it was typed (`\n` in a
 * string stays an escape); only a backtick and `${` lose the backslash that they need inside a template.
 */
export function splitTag(strings: TemplateStringsArray, n: number): { source: string; params: string[] } {
  const texts = strings.raw.map((text) => text.replace(/\\(`|\$\{)/g, '$1'));
  const base = unusedName('$value', texts.join(' '));
  const params = Array.from({ length: n }, (_, i) => `${base}${i}`);
  return { source: texts.map((text, i) => text + (params[i] ?? '')).join(''), params };
}

/** A name that no name in `text` starts with. */
export function unusedName(base: string, text: string): string {
  let name = base;
  while (text.includes(name)) name += '_';
  return name;
}
