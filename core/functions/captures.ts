/** What functions close over. A page in a browser, which has no inspector, has a stand-in for this file. */
import { builtinForm } from './builtins.ts';
import { bundleModule, type ModuleBundle } from './bundle.ts';
import { isConsoleName } from './console-names.ts';
import { moduleForm, nativeForm } from './form-makers.ts';
import { globalPath, isNamespace } from './globals.ts';
import { type ImportBinding, importsOf } from './imports.ts';
import { capturedPath, refusal } from './refusal.ts';
import { type Closure, closureOf, type ScopeRecord } from './scopes.ts';
import { HELPERS, type Source, withBase } from './source.ts';
import { type Code, standIn, travellerForm } from './travellers.ts';

/**
 * The values, now, of the free names that the function closes over; what was imported is replaced by a stand-in. Names
 * found in no scope but the global one are left to the receiver, unless they are a console's. No inspector is asked where there are no free names.
 */
export function readCaptures(fn: Code, source: Source, path: string): Record<string, unknown> {
  const names = [...source.names.keys()].filter((name) => !HELPERS.has(name));
  const captures: Record<string, unknown> = {};
  if (names.length === 0) return withBase(fn, source, captures);
  const closure = inspect(fn, path);
  for (const name of names) {
    const scope = closure.scopes.find((s) => s.description !== 'Global' && Object.hasOwn(s.variables, name));
    if (!scope) {
      if (isConsoleName(name)) captures[name] = standing((globalThis as Record<string, unknown>)[name], source, name);
      continue;
    }
    const value = readVariable(scope, name, fn, path);
    captures[name] = isPortable(value) ? reference(value, name, scope, closure, source) : value;
  }
  return withBase(fn, source, captures);
}

function inspect(fn: Code, path: string): Closure {
  try {
    return closureOf(fn);
  } catch (cause) {
    const advice = 'Name what it needs: remote(fn, { a, b }), or keep it in a module: remote(new URL(…), "name").';
    const what = 'a function whose captured variables cannot be read: the inspector is not available here';
    throw refusal(path, fn.name, what, advice, cause);
  }
}

function readVariable(scope: ScopeRecord, name: string, fn: Code, path: string): unknown {
  try {
    return scope.variables[name];
  } catch (cause) {
    const advice = `Send it after the line that declares '${name}'.`;
    throw refusal(capturedPath(path, name), fn.name, 'not initialised yet', advice, cause);
  }
}

/** Whether it may have to travel by reference: code, or an object that holds code. */
function isPortable(value: unknown): value is object {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (isNamespace(value) || builtinForm(value) || globalPath(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  return Object.values(Object.getOwnPropertyDescriptors(value)).some((p) => typeof p.value === 'function');
}

/** A variable of the console: nothing tells whether it came by an import, but what every Node has is known by itself. */
function standing(value: unknown, source: Source, name: string): unknown {
  if (!isPortable(value) || travellerForm(value)) return value;
  const native = nativeForm(value);
  if (native) return typeof value === 'function' ? value : standIn(native);
  return isNamespace(value) ? pick(value, source.names.get(name) ?? Object.keys(value)) : value;
}

/** The value itself where it travels by itself, else what stands for it. */
function reference(value: object, name: string, scope: ScopeRecord, closure: Closure, source: Source): unknown {
  if (travellerForm(value)) return value;
  const native = nativeForm(value);
  if (native) return typeof value === 'function' ? value : standIn(native);
  const binding = bindingOf(name, scope, closure);
  if (binding?.builtin) {
    const module = binding.specifier.startsWith('node:') ? binding.specifier : `node:${binding.specifier}`;
    return standIn(() => ({ kind: 'builtin', module, export: binding.name }));
  }
  const bundle = binding && tryBundle(binding);
  if (bundle) return standIn(moduleForm(bundle, binding.name));
  return isNamespace(value) ? pick(value, source.names.get(name) ?? Object.keys(value)) : value;
}

function bindingOf(name: string, scope: ScopeRecord, closure: Closure): ImportBinding | undefined {
  if (!closure.scriptId || scope.description === 'Script') return undefined;
  const binding = importsOf(closure.scriptId).get(name);
  // An import statement binds in the module's scope only: elsewhere the name is another variable.
  return binding?.declared && scope.description !== 'Module' ? undefined : binding;
}

/** A module that cannot be bundled (top-level await, for one) may still travel function by function. */
function tryBundle(binding: ImportBinding): ModuleBundle | undefined {
  try {
    return bundleModule(binding.specifier, binding.directory);
  } catch {
    return undefined;
  }
}

function pick(from: Record<string, unknown>, names: Iterable<string>): Record<string, unknown> {
  return Object.fromEntries(Array.from(names, (name) => [name, from[name]]));
}
