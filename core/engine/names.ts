/** What names there are, and what stands behind each, without running any code of the user's: getters stay unread. */
import { types } from 'node:util';

export interface NameInfo {
  readonly name: string;
  /** `number`, `function`, `class`, or the name of its class: `Float64Array`, `Map`, `Speech`; `accessor` for what only a getter knows. */
  readonly type: string;
  /** How many it holds: items, entries, characters. */
  readonly size?: number;
  /** Of typed arrays and buffers. */
  readonly bytes?: number;
  /** It comes from the value's class. */
  readonly inherited?: true;
}

/** An object may have millions of properties, and this is looked at by people. */
const MOST = 2_000;

const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;

/** Properties of a value, its own before those of its class. Items of lists are left out. */
export function propertiesOf(value: unknown): NameInfo[] {
  const found = new Map<string, NameInfo>();
  if (value === undefined || value === null || types.isProxy(value)) return [];
  for (let owner: object | null = Object(value) as object, inherited = false; owner; inherited = true) {
    for (const info of namesIn(owner, listed(owner))) {
      if (found.size === MOST) return [...found.values()];
      if (!found.has(info.name)) found.set(info.name, inherited ? { ...info, inherited } : info);
    }
    owner = getPrototypeOf(owner);
    if (owner && types.isProxy(owner)) break;
  }
  return [...found.values()];
}

export function namesIn(owner: object, names: readonly string[]): NameInfo[] {
  return names.map((name) => {
    const property = getOwnPropertyDescriptor(owner, name);
    return property && 'value' in property ? { name, ...looksOf(property.value) } : { name, type: 'accessor' };
  });
}

function listed(owner: object): string[] {
  // The keys of a large list would all be made to be thrown away.
  if (ArrayBuffer.isView(owner) || owner instanceof String) return [];
  if (Array.isArray(owner) && owner.length > MOST) return ['length'];
  return ownKeys(owner).filter((key): key is string => typeof key === 'string' && !/^\d+$/.test(key));
}

function looksOf(value: unknown): Omit<NameInfo, 'name'> {
  if (value === null) return { type: 'null' };
  if (typeof value === 'string') return { type: 'string', size: value.length };
  if (typeof value === 'function') return { type: isClass(value) ? 'class' : 'function' };
  if (typeof value !== 'object') return { type: typeof value };
  if (types.isProxy(value)) return { type: 'Proxy' };
  if (Array.isArray(value)) return { type: 'Array', size: value.length };
  if (types.isMap(value) || types.isSet(value)) return { type: classOf(value), size: sizeOf(value) };
  if (types.isAnyArrayBuffer(value)) return { type: classOf(value), bytes: value.byteLength };
  if (types.isDataView(value)) return { type: 'DataView', bytes: value.byteLength };
  if (types.isTypedArray(value)) return { type: classOf(value), size: value.length, bytes: value.byteLength };
  const type = classOf(value);
  return type === 'Object' ? { type, size: ownKeys(value).length } : { type };
}

function sizeOf(value: Map<unknown, unknown> | Set<unknown>): number {
  return getOwnPropertyDescriptor((types.isMap(value) ? Map : Set).prototype, 'size')!.get!.call(value) as number;
}

function isClass(value: object): boolean {
  return getOwnPropertyDescriptor(value, 'prototype')?.writable === false && !types.isProxy(value);
}

/** The name of the nearest class that has one, without asking anything that could be a getter. */
function classOf(value: object): string {
  for (let owner = getPrototypeOf(value); owner && !types.isProxy(owner); owner = getPrototypeOf(owner)) {
    const made: unknown = getOwnPropertyDescriptor(owner, 'constructor')?.value;
    const name: unknown =
      typeof made === 'function' && !types.isProxy(made) && getOwnPropertyDescriptor(made, 'name')?.value;
    if (typeof name === 'string' && name) return name;
  }
  return 'Object';
}
