/** The user's names: what lives on the engine's global beyond what was there when the engine was ready. */
import { UsageError } from '../errors.ts';

// User code may replace any global for the whole process: what is needed later is taken now.
const { defineProperty, deleteProperty, getOwnPropertyDescriptor, has, ownKeys } = Reflect;
const world = globalThis;
const evaluate = eval; // under another name it evaluates in the global scope
const { is } = Object;
const JsProxy = Proxy;
const JsSyntaxError = SyntaxError;

export interface Namespace {
  /** The user's names on globalThis, oldest first; a built-in global counts while the user's value stands in its place. */
  names(): string[];
  /** The user's names as an object: reading, setting, deleting and listing work on the global itself. */
  readonly view: Record<string, unknown>;
  /** The value of an expression, e.g. `a.b[0]`. Throws ReferenceError for a missing name, SyntaxError for what is no expression. */
  get(expression: string): unknown;
  /** Sets names, all or (UsageError: a key is not a plain identifier) none. */
  set(vars: Record<string, unknown>): void;
  /** Adds a global that is not the user's: it takes the place of what has this name, and outlives `clear`. */
  provide(name: string, value: unknown): void;
  /** Removes every name of the user's; built-in globals that were replaced are what they were. */
  clear(): void;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;
const RESERVED = new Set(
  (
    'await break case catch class const continue debugger default delete do else enum export extends false finally for ' +
    'function if import in instanceof let new null return super switch static this throw true try typeof var void while with yield'
  ).split(' '),
);

/** Makes `name` a property of the global that can be set and, unless it was there already, deleted. */
export function claim(name: string): void {
  const found = getOwnPropertyDescriptor(world, name);
  if (found && 'value' in found && found.writable) return;
  if (found && !found.configurable)
    throw new TypeError(`'${name}' cannot be declared or set: JavaScript fixes it; use another name`);
  const value = found ? (world as Record<string, unknown>)[name] : undefined;
  defineProperty(world, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Takes every name that globalThis has now for a built-in one: call it when the engine's own globals are in place. */
export function createNamespace(): Namespace {
  const builtins = new Map<string, BuiltIn>();
  for (const name of ownKeys(world)) if (typeof name === 'string') builtins.set(name, builtIn(name));
  const global = world as Record<string, unknown>;

  const isUsers = (name: string | symbol): name is string => {
    if (typeof name !== 'string') return false;
    const found = getOwnPropertyDescriptor(world, name);
    return found !== undefined && !builtins.get(name)?.isIn(found);
  };
  const remove = (name: string): void => {
    const before = builtins.get(name);
    if (before) before.restore();
    else if (!deleteProperty(world, name)) global[name] = undefined;
  };
  const names = (): string[] => {
    const found: string[] = [];
    for (const name of ownKeys(world)) if (isUsers(name)) found[found.length] = name;
    return found;
  };
  const assign = (name: string, value: unknown): void => {
    claim(name);
    global[name] = value;
  };

  const view = new JsProxy({} as Record<string, unknown>, {
    get: (_, name) => (isUsers(name) ? global[name] : undefined),
    has: (_, name) => isUsers(name),
    set: (_, name, value) => {
      assign(identifier(String(name)), value);
      return true;
    },
    defineProperty: (_, name, { value }) => {
      assign(identifier(String(name)), value);
      return true;
    },
    deleteProperty: (_, name) => {
      if (isUsers(name)) remove(name);
      return true;
    },
    ownKeys: () => names(),
    getOwnPropertyDescriptor: (_, name) =>
      isUsers(name) ? { value: global[name], writable: true, enumerable: true, configurable: true } : undefined,
  });

  return {
    names,
    view,
    get: (expression) => (has(world, expression) ? global[expression] : evaluateExpression(expression)),
    set(vars) {
      const keys = ownKeys(vars);
      for (const name of keys) identifier(String(name));
      for (const name of keys) assign(name as string, vars[name as string]);
    },
    provide(name, value) {
      defineProperty(world, name, { value, writable: true, configurable: true, enumerable: false });
      builtins.set(name, builtIn(name));
    },
    clear() {
      for (const name of names()) remove(name);
    },
  };
}

function evaluateExpression(expression: string): unknown {
  try {
    return evaluate(`(${expression}\n)`);
  } catch (error) {
    if (!(error instanceof JsSyntaxError)) throw error;
    throw new JsSyntaxError(`'${expression}' is not an expression that can be read: ${error.message}`);
  }
}

function identifier(name: string): string {
  if (IDENTIFIER.test(name) && !RESERVED.has(name)) return name;
  throw new UsageError(
    `'${name}' cannot be set: only a plain name can (set the whole object, or execute an assignment)`,
  );
}

interface BuiltIn {
  /** Whether this property is still the built-in one. */
  isIn(found: PropertyDescriptor): boolean;
  restore(): void;
}

function builtIn(name: string): BuiltIn {
  const original = getOwnPropertyDescriptor(world, name)!;
  if ('value' in original)
    return {
      isIn: (found) => 'value' in found && is(found.value, original.value),
      restore: () => void defineProperty(world, name, original),
    };
  // Accessors are of two kinds. Some keep a set value behind the accessor, so theirs is kept here. The others load on
  // first use and then turn themselves into a plain property; they are left unloaded until it matters.
  const { get, set } = original;
  const stateful = name === 'process' || name === 'Buffer' || name === 'performance';
  const value = stateful ? get?.call(world) : undefined;
  const current = () => {
    const found = getOwnPropertyDescriptor(world, name);
    const loaded = get?.call(world);
    if (found) defineProperty(world, name, found); // loading may have put its own value there
    return loaded;
  };
  return {
    isIn(found) {
      if (found.get !== get) return 'value' in found && is(found.value, stateful ? value : current());
      return !stateful || is(get?.call(world), value);
    },
    restore() {
      defineProperty(world, name, original);
      if (stateful) set?.call(world, value);
    },
  };
}
