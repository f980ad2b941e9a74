import { codeHash } from '../wire/code-hash.ts';
import { type FreeNames, freeNames } from './free-names.ts';
import { refusal } from './refusal.ts';
import { expressionOf, type Node, SHIFT } from './syntax.ts';
import type { Code } from './travellers.ts';

/** A function's text as an expression, and what it takes from around it. */
export interface Source extends FreeNames {
  text: string;
  /** As it stands where it was written. */
  raw: string;
  /** How many characters of `text` come behind it. */
  after: number;
  /** Where a class says what it extends: `name`, or a member of `name`, or (null) something else. */
  base: { start: number; end: number; name: string | null; member: boolean } | null;
  /** The factories already made of it, by captured names. */
  factories: Map<string, { hash: string; text: string }>;
}

const sources = new Map<string, Source>();

/** Reads a function's text, once per text; throws CannotTravelError where its text cannot stand elsewhere. */
export function sourceOf(fn: Code, path: string): Source {
  const raw = Function.prototype.toString.call(fn);
  const known = sources.get(raw);
  if (known) return known;
  if (/\{\s*\[native code\]\s*\}\s*$/.test(raw)) {
    const bound = fn.name.startsWith('bound ');
    throw refusal(
      path,
      fn.name,
      bound ? 'a bound function' : 'native code or a Proxy',
      bound
        ? 'Send an arrow function that makes the call instead.'
        : 'Call it inside a function of your own, by its global name or through an import.',
    );
  }
  const source = parseSource(raw, fn.name, path);
  for (const what of source.outer) throw refuseOuter(what, fn.name, path);
  sources.set(raw, source);
  return source;
}

function parseSource(raw: string, name: string, path: string): Source {
  let node: Node;
  let text = raw;
  let after = 0;
  try {
    node = expressionOf(raw);
  } catch {
    ({ node, text, after } = methodSource(raw, name, path));
  }
  const free = freeNames(node);
  if (free.names.has('__vite_ssr_import_meta__')) free.outer.add('import.meta');
  return { ...free, text, raw, after, base: baseOf(node), factories: new Map() };
}

function baseOf(node: Node): Source['base'] {
  const base: Node | null = node.type === 'ClassExpression' ? node.superClass : null;
  if (!base || base.type === 'Literal') return null;
  const first: Node = base.type === 'MemberExpression' ? base.object : base;
  const name = first.type === 'Identifier' ? first.name : null;
  return { start: base.start - SHIFT, end: base.end - SHIFT, name, member: base !== first };
}

/** `name() {}` of an object or class means nothing alone: it is put back into an object literal under its name. */
function methodSource(raw: string, name: string, path: string): { node: Node; text: string; after: number } {
  let method: Node;
  try {
    method = expressionOf(`{ ${raw} }`).properties[0];
  } catch (cause) {
    throw refusal(
      path,
      name,
      'something whose source text does not stand alone (a private method, or code that strict mode forbids)',
      'Write it as an ordinary function.',
      cause,
    );
  }
  if (method.kind !== 'init') {
    throw refusal(path, name, 'a getter or setter', 'Send a function that reads or sets the property instead.');
  }
  const key = JSON.stringify(name);
  const { async, generator, start } = method.value;
  const after = ` })[${key}]`;
  const text = `({ ${async ? 'async ' : ''}${generator ? '*' : ''}[${key}]${raw.slice(start - SHIFT - 2)}${after}`;
  // Analysed as a plain function: nothing gives it a `super` where it arrives.
  return { node: method.value, text, after: after.length };
}

function refuseOuter(what: string, name: string, path: string) {
  const advice: Record<string, string> = {
    this: "Copy what it needs of 'this' into a const, or take it as an argument.",
    arguments: 'Use a rest parameter (...args).',
    super: 'Send an instance of a registered class, or call the base method by name.',
    'new.target': 'Pass what it needs as an argument.',
    'import.meta': 'Put import.meta.url into a const outside it, and use that.',
  };
  return refusal(path, name, `a function that uses the '${what}' of the code around it`, advice[what]!);
}

/** The captured name that stands for what a class extends. */
export const BASE = '__base';

/**
 * Adds the class that a class extends, under a name of ours. The runtime keeps only variables that are used inside
 * functions, and an `extends` clause is outside: its own name may not have been found.
 */
export function withBase(fn: Code, { base }: Source, captures: Record<string, unknown>): Record<string, unknown> {
  if (!base) return captures;
  const found = base.name !== null && Object.hasOwn(captures, base.name);
  if (found && base.member) return captures;
  return { ...captures, [BASE]: found ? captures[base.name!] : Object.getPrototypeOf(fn) };
}

/** Names that transpilers use and every receiver defines. */
export const HELPERS: ReadonlySet<string> = new Set(['__name', '__vite_ssr_dynamic_import__']);

const AFTER = '\n); })';

/** How far into the function's own text a place in such a factory's text is: what was added stands before it, or in its head. */
export function offsetInRaw({ raw, after }: Source, factory: string, offset: number): number {
  return Math.max(0, offset - (factory.length - AFTER.length - after - raw.length));
}

/**
 * The text that a receiver compiles: it takes a place to put the captured values' setter, so that values which wait for
 * a cycle can be set after the function exists, and `__name`, which some transpilers call to keep names.
 */
export function factoryOf(source: Source, captured: readonly string[]): { hash: string; text: string } {
  const names = captured.join(', ');
  const known = source.factories.get(names);
  if (known) return known;
  const dynamicImport = source.names.has('__vite_ssr_dynamic_import__')
    ? ' const __vite_ssr_dynamic_import__ = (specifier) => import(specifier);'
    : '';
  const derived = source.base && captured.includes(BASE) ? derivedFrom(source.text, source.base) : null;
  const variables = names
    ? ` let ${names}; __set((__values) => { ({ ${names} } = __values);${derived?.onSet ?? ''} });`
    : '';
  const body = derived?.text ?? source.text;
  const text = `(function (__set, __name) { "use strict";${dynamicImport}${variables} return (${body}${AFTER}`;
  const factory = { hash: codeHash(text), text };
  source.factories.set(names, factory);
  return factory;
}

/**
 * A class whose base may come later, when the two refer to each other: `super` looks the base up at each use, so
 * changing it then is as good as having had it.
 */
function derivedFrom(text: string, { start, end }: NonNullable<Source['base']>) {
  return {
    text: `__set.made = ${text.slice(0, start)}(${BASE} ?? class {})${text.slice(end)}`,
    onSet: ` const made = __set.made; if (made && Object.getPrototypeOf(made) !== ${BASE}) { Object.setPrototypeOf(made, ${BASE}); Object.setPrototypeOf(made.prototype, ${BASE}.prototype); }`,
  };
}
