/** What several engines gave, as one list; equal values stand once, with the engines that they are of. */
import { isDeepStrictEqual } from 'node:util';
import { ranges } from '../ranges.ts';
import { display, type Look, plain } from './value.ts';

export interface Part {
  engine: number;
  value: unknown;
}

interface Group {
  engines: number[];
  value: unknown;
  text: string;
}

export function grouped(parts: readonly Part[], look: Look): string {
  if (parts.every(({ value }) => value === undefined)) return '';
  const groups = groupsOf(parts, look);
  if (groups.length > 1 && groups.length === parts.length && parts.every(({ value }) => isScalar(value))) {
    const values = parts.map(({ value }) => value);
    return plain(values, look);
  }
  return groups.map(({ engines, text }) => labelled(engines, text, look.colours)).join('\n');
}

/** `[0-3] text`; further lines stand under the first. */
export function labelled(engines: readonly number[], text: string, colours: boolean): string {
  const name = `[${ranges(engines, ',')}]`;
  const [first, ...more] = text.split('\n');
  const label = colours ? `\u001b[2m${name}\u001b[22m` : name;
  return [`${label} ${first}`, ...more.map((line) => `${' '.repeat(name.length + 1)}${line}`)].join('\n');
}

function groupsOf(parts: readonly Part[], look: Look): Group[] {
  const groups: Group[] = [];
  const byText = new Map<string, Group[]>();
  for (const { engine, value } of parts) {
    const text = display(value, look);
    const alike = byText.get(text) ?? [];
    // Long values are not shown whole, so what looks equal need not be.
    const group = alike.find((one) => isDeepStrictEqual(one.value, value));
    if (group) group.engines.push(engine);
    else {
      const fresh = { engines: [engine], value, text };
      groups.push(fresh);
      byText.set(text, [...alike, fresh]);
    }
  }
  return groups;
}

function isScalar(value: unknown): boolean {
  return (typeof value !== 'object' || value === null) && typeof value !== 'function' && String(value).length < 24;
}
