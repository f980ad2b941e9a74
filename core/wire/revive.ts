/**
 * Turns `[root, table]` (see walk.ts) back into the value. First every thing that can exist without its contents is
 * made; then groups of things that depend on each other are completed, those that others need first; in the end
 * functions whose captures lie on a cycle are bound.
 */
import { ProtocolError } from '../errors.ts';
import { classNamed } from './classes.ts';
import { dependencyGroups } from './dependency-groups.ts';
import { newError } from './error-codec.ts';
import { entryCaptures, entryForm, isFormEntry, isLoneForm } from './form-entry.ts';
import type { DecodeHooks } from './forms.ts';
import { malformed } from './malformed.ts';
import { makeMemories } from './memory-revive.ts';
import { Slot } from './slot.ts';
import { findSpots, type Spot } from './spots.ts';
import { fromUtf16 } from './utf16.ts';

/** An array with holes that is longer than this, and mostly holes, takes no memory for them. */
const DENSE = 65_536;

/** Thrown by a hook: not a fault of the bytes. */
export class Escaped {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

export function revive(root: unknown, table: unknown[], parts: Uint8Array[], hooks: DecodeHooks | undefined): unknown {
  const [only] = table;
  if (hooks && table.length === 1 && isLoneForm(only)) return reviveLoneForm(root, only, hooks);
  return new Revival(table, hooks).run(root, parts);
}

/** Calls of one function: by far the most frequent table, which needs no order. */
function reviveLoneForm(root: unknown, entry: readonly unknown[], hooks: DecodeHooks): unknown {
  const holder = [root];
  const spots = findSpots(holder, 1);
  const { value, bind } = outside(() => hooks.revive(entryForm(entry, NONE)));
  for (const { holder, key } of spots) holder[key] = value;
  if (bind) outside(() => bind(entryCaptures(entry)));
  return holder[0];
}

class Revival {
  private readonly table: unknown[][];
  private readonly hooks: DecodeHooks | undefined;
  private readonly spots: Spot[][];
  private readonly things: unknown[];
  private readonly kept: ReadonlySet<string>[] = [];
  private readonly bindings: (() => void)[] = [];

  constructor(table: unknown[], hooks: DecodeHooks | undefined) {
    this.table = table.map((entry) => {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string') throw malformed('an entry that is not [word, …]');
      return entry;
    });
    this.hooks = hooks;
    this.spots = this.table.map((entry) => findSpots(entry, table.length));
    this.things = new Array(table.length).fill(undefined);
  }

  run(root: unknown, parts: Uint8Array[]): unknown {
    const holder = [root];
    const rootSpots = findSpots(holder, this.table.length);
    makeMemories(this.table, parts, this.things);
    this.table.forEach((entry, index) => {
      this.things[index] ??= this.shell(entry, index);
    });
    for (const group of this.groups()) this.complete(group);
    this.put(rootSpots);
    for (const bind of this.bindings) bind();
    return holder[0];
  }

  /** In the order in which they can be completed. */
  private groups(): number[][] {
    const needsOrder = this.table.some((entry) => entry[0] === 'class' || isFormEntry(entry));
    if (!needsOrder) return [this.table.map((_, index) => index)];
    return dependencyGroups(this.spots.map((spots) => spots.map((spot) => spot.target)));
  }

  /** What can exist before its contents. */
  private shell(entry: unknown[], index: number): unknown {
    switch (entry[0]) {
      case 'is':
        return entry[1];
      case '-0':
        return -0;
      case 'text':
        return fromUtf16(bytes(entry[1]));
      case 'object':
        return {};
      case 'null':
        return Object.create(null);
      case 'sparse': {
        const array: unknown[] = [];
        // Past this length V8 keeps what is there, not room for what is not; and it stays with that.
        if ((entry[1] as number) > DENSE + 4 * entry.length) array.length = 2 ** 32 - 1;
        array.length = entry[1] as number;
        return array;
      }
      case 'map':
        return new Map();
      case 'set':
        return new Set();
      case 'regexp':
        return new RegExp(string(entry[1]), string(entry[2]));
      case 'box':
        return Object(entry[1] instanceof Slot ? this.atom(entry[1]) : entry[1]);
      case 'error': {
        if (!Array.isArray(entry[1])) throw malformed('an error without class names');
        const made = newError(entry[1].map(string), { name: field(entry, 'name'), message: field(entry, 'message') });
        this.kept[index] = made.keep;
        return made.error;
      }
      default:
        return undefined;
    }
  }

  private atom({ index }: Slot): unknown {
    const entry = this.table[index]!;
    if (entry[0] !== '-0' && entry[0] !== 'text') throw malformed('a box around something else than a primitive');
    return this.shell(entry, index);
  }

  /** A group: one entry, or several that refer to each other in circles. Everything else that they need is complete. */
  private complete(group: number[]): void {
    const inGroup = group.length > 1 ? new Set(group) : undefined;
    const waits = (spot: Spot, self: number) => (inGroup ? inGroup.has(spot.target) : spot.target === self);
    for (const index of group) {
      const entry = this.table[index]!;
      const cyclic = this.spots[index]!.some((spot) => waits(spot, index));
      if (entry[0] === 'class') this.instance(index, cyclic);
      else if (isFormEntry(entry)) this.form(index, (spot) => waits(spot, index));
    }
    for (const index of group) this.put(this.spots[index]!);
    for (const index of group) this.fill(this.table[index]!, index);
  }

  private instance(index: number, cyclic: boolean): void {
    const [, name, plain] = this.table[index] as [string, string, unknown];
    const known = classNamed(name);
    if (!known)
      throw new ProtocolError(
        `A value is an instance of class ${name}, which is not registered here; call registerClass(${name}, …) on this side too.`,
      );
    if (cyclic)
      throw new ProtocolError(
        `An instance of class ${name} contains itself through what its encode returned; leave that reference out there and restore it in decode.`,
      );
    this.put(this.spots[index]!);
    const whole = plain instanceof Slot ? this.table[index]![2] : plain;
    try {
      this.things[index] = known.decode(whole);
    } catch (cause) {
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new ProtocolError(
        `An instance of class ${name} cannot be rebuilt: its decode (see registerClass) threw ${why}`,
        { cause },
      );
    }
  }

  private form(index: number, waits: (spot: Spot) => boolean): void {
    const entry = this.table[index]!;
    const hooks = this.hooks;
    if (!hooks)
      throw new ProtocolError(
        `A ${entry[0] === 'code' ? 'function' : `'${entry[0]}' form`} in a payload that may only hold data.`,
      );
    const waiting = this.spots[index]!.filter(waits);
    this.put(this.spots[index]!.filter((spot) => !waits(spot)));
    const late = new Set(waiting.map((spot) => spot.element));
    const revived = outside(() => hooks.revive(entryForm(entry, late)));
    this.things[index] = revived.value;
    if (revived.bind) this.bindings.push(() => outside(() => revived.bind!(entryCaptures(entry))));
  }

  private fill(entry: unknown[], index: number): void {
    const thing = this.things[index] as any;
    switch (entry[0]) {
      case 'object':
      case 'null':
        for (let i = 1; i + 1 < entry.length; i += 2) define(thing, string(entry[i]), entry[i + 1], true);
        return;
      case 'sparse':
        for (let i = 2; i + 1 < entry.length; i += 2) {
          if (!((entry[i] as number) < thing.length)) throw malformed('an index beyond its array');
          define(thing, String(entry[i]), entry[i + 1], true);
        }
        return;
      case 'map':
        for (let i = 1; i + 1 < entry.length; i += 2) thing.set(entry[i], entry[i + 1]);
        return;
      case 'set':
        for (let i = 1; i < entry.length; i++) thing.add(entry[i]);
        return;
      case 'error':
        for (let i = 2; i + 2 < entry.length; i += 3) {
          const key = string(entry[i]);
          if (!this.kept[index]!.has(key)) define(thing, key, entry[i + 1], entry[i + 2] === true);
        }
    }
  }

  private put(spots: Spot[]): void {
    for (const { holder, key, target } of spots) holder[key] = this.things[target];
  }
}

/** Also for keys such as `__proto__`, where an assignment would do something else. */
function define(thing: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(thing, key, { value, enumerable, configurable: true, writable: true });
}

function field(entry: unknown[], key: string): string {
  for (let i = 2; i + 1 < entry.length; i += 3) {
    if (entry[i] === key && typeof entry[i + 1] === 'string') return entry[i + 1] as string;
  }
  return '';
}

const NONE: ReadonlySet<number> = new Set();

function outside<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new Escaped(error);
  }
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw malformed('something else where text belongs');
  return value;
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed('something else where bytes belong');
  return value;
}
