/** What this engine has for tasks that need it: `TUTTI_RESOURCES=gpu=1,memory=16` in its environment. */

export function resources(text = process.env.TUTTI_RESOURCES ?? ''): Record<string, number> {
  const found: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [name = '', amount = '1'] = part.split('=');
    if (!name.trim()) continue;
    const number = Number(amount);
    if (!(number >= 0)) {
      process.stderr.write(`TUTTI_RESOURCES: '${part}' is not name=number; it is ignored\n`);
      continue;
    }
    found[name.trim()] = number;
  }
  return found;
}
