/**
 * Where a value sits inside what is being sent. Rendered (`args[0].docs[3].fn`) only when somebody asks.
 */
import type { Ownership } from './ownership.ts';

export interface Link {
  parent: Link | undefined;
  /** Text is a property's name, unless `() => text` gives it ready-made. */
  segment: string | number | (() => string);
  /** Levels of arrays and objects above it in the body. */
  depth: number;
  /** Inside an error: what cannot travel is described, not refused. */
  lenient: boolean;
  /** Of memory in it. */
  ownership: Ownership;
  /** What holds the thing that stands for it, and where. */
  holder: any;
  key: number | string;
}

export function link(parent: Link, segment: Link['segment'], holder: unknown, key: number | string): Link {
  const { depth, lenient, ownership } = parent;
  return { parent, segment, depth: depth + 1, lenient, ownership, holder, key };
}

export function pathOf(at: Link): string {
  const segments: string[] = [];
  for (let l: Link | undefined = at; l; l = l.parent) {
    const { segment, parent } = l;
    if (typeof segment === 'number') segments.push(`[${segment}]`);
    else if (typeof segment === 'function') segments.push(segment());
    else segments.push(parent ? member(segment) : segment);
  }
  return segments.reverse().join('');
}

export function member(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** The segment of a Map's value. */
export function getter(key: unknown, index: number): string {
  if (typeof key === 'string') return `.get(${JSON.stringify(key)})`;
  return typeof key === 'object' || typeof key === 'function' ? `.values()[${index}]` : `.get(${String(key)})`;
}
