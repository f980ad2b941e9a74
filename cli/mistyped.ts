/** What somebody meant who has mistyped an option or a command. */
import { wordsOf } from './arguments.ts';
import { suggestion } from './suggestion.ts';

/**
 * What the parser complains of, for whoever has typed it.
 * @param argv what was typed
 * @param known the names of the options, without dashes
 */
export function complaint(said: string, argv: string[], known: readonly string[]): string {
  const oneDash = oneDashText(argv, known);
  if (oneDash) return oneDash;
  const [, unknown] = /^Unknown (?:argument|command)s?: (.*)$/.exec(said) ?? [];
  if (unknown !== undefined) return unknownText(unknown.split(', '), argv, known);
  const [, meant] = /^Did you mean (.*)\?$/.exec(said) ?? [];
  if (meant !== undefined) return noCommandText(meant, argv);
  if (/^Not enough non-option arguments/.test(said)) return 'Something is missing after the command';
  // Without a command the parser has not looked at the options.
  const options = wordsOf(argv).flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const strange = /^(?:Which|What) /.test(said) ? options.filter((name) => !known.includes(name)) : [];
  return strange.length ? unknownText(strange, argv, known) : said;
}

/** The parser finds something to mean for most short words. */
function noCommandText(meant: string, argv: string[]): string {
  const words = wordsOf(argv).flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const typed = words.find((word) => suggestion(word, [meant]) !== undefined);
  if (typed !== undefined) return `There is no such command. Did you mean ${meant}?`;
  return words.length ? `There is no command ${words.slice(0, 2).join(' ')}` : 'There is no such command';
}

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
function oneDashText(argv: readonly string[], known: readonly string[]): string | undefined {
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
  const meant = suggestion(
    name,
    known.filter((one) => one.length > 1),
  );
  return meant === undefined ? '' : `; did you mean ${dashed(meant)}?`;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
