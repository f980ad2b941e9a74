/** What somebody meant who has mistyped an option. */

/** Changes that a typing error has at most, in a name of some length; an error in a short one is often another name. */
const most = (name: string): number => (name.length < 4 ? 1 : name.length < 8 ? 2 : 3);

/**
 * What is to be said of words that a parser does not know.
 * @param unknown what it calls so: options without their dashes, in each of their spellings, and words
 * @param argv what was typed
 * @param known the names of the options, without dashes
 */
export function unknownText(unknown: readonly string[], argv: readonly string[], known: readonly string[]): string {
  const options = unknown.filter((name) => isOption(name, argv));
  // The parser gives `--keep-ordr` as `keepOrdr`, too.
  const words = unknown.filter((name) => !options.includes(name) && !options.some((option) => camel(option) === name));
  return [
    ...options.map((name) => `There is no option ${dashed(name)}${advice(name, known)}`),
    ...words.map((word) => `'${word}' means nothing here`),
  ].join('\n');
}

/** `-name` are as many options as it has letters; whoever types it means `--name`. Undefined: nobody has. */
export function oneDashText(argv: readonly string[], known: readonly string[]): string | undefined {
  const names = argv.map((word) => /^-([a-z][\w-]{2,})(?:=.*)?$/i.exec(word)?.[1]);
  const name = names.find((one) => one !== undefined && known.includes(one));
  return name && `There is no option -${name}; did you mean --${name}?`;
}

function isOption(name: string, argv: readonly string[]): boolean {
  const spelled = [dashed(name), `--no-${name}`];
  return argv.some((word) => spelled.some((s) => word === s || word.startsWith(`${s}=`)) || isAmong(name, word));
}

/** Several options of one letter in one word. */
const isAmong = (name: string, word: string): boolean =>
  name.length === 1 && /^-[a-z]/i.test(word) && word.includes(name);

function advice(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? '' : `; did you mean ${dashed(meant)}?`;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The one of these names that is most like it, if one is. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const one of names) {
    if (one.length < 2) continue;
    // Whoever shortens a name has made no error.
    const distance = name.length > 1 && one.startsWith(name) ? 0.5 : changes(name, one);
    if (distance <= most(name) && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { name: one, distance };
  }
  return best?.name;
}

/** How many letters are missing, too many, others, or have changed places. */
function changes(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
