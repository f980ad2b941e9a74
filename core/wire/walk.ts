/**
 * Rewrites a value so that msgpack can carry it exactly: what msgpack cannot say becomes an entry of a table and a
 * `Slot` in its place. Never changes the user's value, never recurses (any depth will do), and refuses what cannot
 * travel with its path.
 */
import { CannotTravelError, TuttiError } from '../errors.ts';
import { classOf, type RegisteredClass } from './classes.ts';
import { classNames, errorFields, isError } from './error-codec.ts';
import { formEntry } from './form-entry.ts';
import type { EncodeHooks } from './forms.ts';
import { builtInKind, hasHoles, indicesOf, isObjectPrototype, tagOf } from './kinds.ts';
import { Memories } from './memory.ts';
import { takeGiven } from './ownership.ts';
import { isFlat, isPlainKey, isPlainPrimitive, MAX_DEPTH } from './plain.ts';
import { failed, refusal, shortly, unreadable } from './refusal.ts';
import { Slot } from './slot.ts';
import { utf16 } from './utf16.ts';
import { getter, type Link, link, member, pathOf } from './value-path.ts';

export interface Walked {
  root: unknown;
  table: unknown[][];
  memories: Memories;
}

/** `name` begins every path. Throws CannotTravelError. */
export function walk(value: unknown, name: string, hooks: EncodeHooks | undefined): Walked {
  return new Walk(hooks).run(value, name);
}

class Walk {
  private readonly hooks: EncodeHooks | undefined;
  private readonly table: unknown[][] = [];
  private readonly memories = new Memories(this.table);
  // An error report leaves things out, so what it met must not stand in for the real thing elsewhere.
  private readonly seen = { strict: new Map<object, Link>(), lenient: new Map<object, Link>() };
  private readonly atoms = new Map<unknown, Slot>();
  private readonly queue: (() => void)[] = [];

  constructor(hooks: EncodeHooks | undefined) {
    this.hooks = hooks;
  }

  run(value: unknown, name: string): Walked {
    const holder: unknown[] = [undefined];
    const at = {
      parent: undefined,
      segment: name,
      depth: 0,
      lenient: false,
      ownership: 'kept' as const,
      holder,
      key: 0,
    };
    this.visit(value, at);
    for (let i = 0; i < this.queue.length; i++) this.queue[i]!();
    this.memories.place();
    return { root: holder[0], table: this.table, memories: this.memories };
  }

  private visit(value: unknown, at: Link): void {
    at.holder[at.key] = this.standIn(value, at);
  }

  private standIn(value: unknown, at: Link): unknown {
    if (isPlainPrimitive(value)) return value;
    switch (typeof value) {
      case 'number':
        return this.atom(value, () => this.entry('-0'));
      case 'string':
        return this.atom(value, () => this.entry('text', utf16(value)));
      case 'symbol':
        return this.refuse(value, at);
      default:
        return this.objectStandIn(value as object, at);
    }
  }

  private objectStandIn(value: object, at: Link): unknown {
    const seen = at.lenient ? this.seen.lenient : this.seen.strict;
    const before = seen.get(value);
    if (before) {
      const standing = before.holder[before.key];
      if (typeof standing !== 'object' || standing === null || standing instanceof Slot) return standing;
      before.holder[before.key] = this.entry('is', standing);
      return before.holder[before.key];
    }
    seen.set(value, at);
    if (!at.lenient && takeGiven(value)) at.ownership = 'given';
    try {
      return this.write(value, at);
    } catch (error) {
      if (at.lenient) return shortly(value);
      if (error instanceof TuttiError || typeof value === 'function') throw error;
      throw unreadable(pathOf(at), error);
    }
  }

  private write(value: object, at: Link): unknown {
    if (typeof value === 'function') return this.foreign(value, at);
    const known = classOf(value);
    if (known) return this.instance(value, known, at);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return this.object(value, at);
    if (isError(value)) return this.error(value, at);
    if (prototype === null && tagOf(value) !== 'Module') return this.keyed('null', value, at);
    if (prototype !== null && isObjectPrototype(prototype)) return this.object(value, at);
    const kind = builtInKind(value);
    if (kind !== undefined && ArrayBuffer.isView(value)) {
      return this.memory(() => this.memories.view(value, kind, at.ownership), at);
    }
    switch (kind) {
      case 'Array':
        return this.array(value as unknown[], at);
      case 'Date':
        return this.inline(new Date((value as Date).getTime()), at);
      case 'RegExp':
        return this.entry('regexp', (value as RegExp).source, (value as RegExp).flags);
      case 'Map': {
        const data = [...(value as Map<unknown, unknown>)].flat(1);
        const segment = (i: number) => (i % 2 ? getter(data[i - 1], (i - 1) / 2) : `.keys()[${i / 2}]`);
        return this.extend(this.entry('map'), data, at, segment);
      }
      case 'Set':
        return this.extend(this.entry('set'), [...(value as Set<unknown>)], at, (i) => `.values()[${i}]`);
      case 'ArrayBuffer':
      case 'SharedArrayBuffer':
        return this.memory(() => this.memories.buffer(value as ArrayBuffer, at.ownership), at);
      case 'Number':
      case 'String':
      case 'Boolean':
      case 'BigInt':
        return this.extend(this.entry('box'), [value.valueOf()], at, () => '');
      default:
        return this.foreign(value, at);
    }
  }

  private array(value: unknown[], at: Link): unknown {
    if (hasHoles(value)) {
      const data = indicesOf(value).flatMap((i) => [i, value[i]]);
      return this.extend(this.entry('sparse', value.length), data, at, (i) => `[${data[i - 1]}]`);
    }
    if (isFlat(value)) return this.inline(value, at);
    const copy: unknown[] = new Array(value.length);
    const standing = this.inline(copy, at);
    this.queue.push(() => {
      for (let i = 0; i < copy.length; i++) {
        const item = this.read(value, i, at);
        if (isPlainPrimitive(item)) copy[i] = item;
        else this.visit(item, link(at, i, copy, i));
      }
    });
    return standing;
  }

  private object(value: object, at: Link): unknown {
    const keys = Object.keys(value);
    // Also an object of another realm, which becomes one of the receiver's.
    if (value.constructor !== Object || !keys.every(isPlainKey)) return this.keyed('object', value, at);
    const copy: Record<string, unknown> = {};
    const standing = this.inline(copy, at);
    this.queue.push(() => {
      for (const key of keys) {
        const item = this.read(value, key, at);
        if (isPlainPrimitive(item)) copy[key] = item;
        else this.visit(item, link(at, key, copy, key));
      }
    });
    return standing;
  }

  private keyed(word: string, value: object, at: Link): unknown {
    const data = Object.keys(value).flatMap((key) => [key, this.read(value, key, at)]);
    return this.extend(this.entry(word), data, at, (i) => member(String(data[i - 1])));
  }

  private error(value: Error, at: Link): unknown {
    // An error is the same on both sides of the border.
    this.seen.strict.set(value, at);
    this.seen.lenient.set(value, at);
    const data = errorFields(value).flatMap((field) => [field.key, field.value, field.enumerable]);
    const within: Link = { ...at, lenient: true, ownership: 'kept' };
    return this.extend(this.entry('error', classNames(value)), data, within, (i) => member(String(data[i - 1])));
  }

  private instance(value: object, known: RegisteredClass, at: Link): unknown {
    let plain: unknown;
    try {
      plain = known.encode(value);
    } catch (cause) {
      throw failed(known.name, pathOf(at), cause);
    }
    const within: Link = known.immutable ? { ...at, ownership: 'lent' } : at;
    return this.extend(this.entry('class', known.name), [plain], within, () => '');
  }

  private memory(write: () => Slot, at: Link): unknown {
    try {
      return write();
    } catch (cause) {
      const path = pathOf(at);
      const message = `${path} has no memory any more: it was given away before (transferred); send a copy, or keep it`;
      throw new CannotTravelError(message, path, { cause });
    }
  }

  /** A function, or an object that is neither plain nor of a class that the codec knows. */
  private foreign(value: object, at: Link): unknown {
    const form = at.lenient ? undefined : this.hooks?.form(value, pathOf(at));
    if (!form || (form.kind === 'value' && form.value === value)) return this.refuse(value, at);
    if (form.kind === 'value') return this.standIn(form.value, at);
    const slot = this.entry(...formEntry(form));
    if (form.kind !== 'code') return slot;
    const data = Object.entries(form.captures).flat(1);
    return this.extend(slot, data, at, (i) => ` → captured variable '${String(data[i - 1])}'`);
  }

  private refuse(value: unknown, at: Link): string {
    if (at.lenient) return shortly(value);
    throw refusal(value, pathOf(at));
  }

  /** Adds values to an entry, later, so that nothing here recurses. */
  private extend(slot: Slot, data: unknown[], at: Link, segment: (index: number) => string): Slot {
    const entry = this.table[slot.index]!;
    const start = entry.length;
    this.queue.push(() => {
      const within = { ...at, depth: 0 };
      for (let i = 0; i < data.length; i++) {
        this.visit(
          data[i],
          link(within, () => segment(i), entry, start + i),
        );
      }
    });
    return slot;
  }

  /** A copy that stays where its original was, unless that is too deep for readers that recurse. */
  private inline(copy: object, at: Link): unknown {
    if (at.depth <= MAX_DEPTH) return copy;
    at.depth = 0;
    return this.entry('is', copy);
  }

  private entry(word: string, ...data: unknown[]): Slot {
    return new Slot(this.table.push([word, ...data]) - 1);
  }

  private atom(value: unknown, make: () => Slot): Slot {
    const slot = this.atoms.get(value) ?? make();
    this.atoms.set(value, slot);
    return slot;
  }

  private read(value: object, key: string | number, at: Link): unknown {
    try {
      return (value as Record<string | number, unknown>)[key];
    } catch (cause) {
      const error = unreadable(pathOf(link(at, key, undefined, key)), cause);
      if (at.lenient) return `[${error.message}]`;
      throw error;
    }
  }
}
