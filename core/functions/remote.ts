import { UsageError } from '../errors.ts';
import { readCaptures } from './captures.ts';
import { codeForm, nativeForm } from './form-makers.ts';
import { reference } from './module-reference.ts';
import { capturedPath } from './refusal.ts';
import { HELPERS, sourceOf, withBase } from './source.ts';
import { type Code, travellerForm, travelling } from './travellers.ts';

/**
 * A function that travels with the captured values given here, or, without any, with those that it has now. Free names
 * that are not given are looked up where it runs. It can still be called here.
 */
export function remote<F extends Code>(fn: F, captures?: Record<string, unknown>): F;
/**
 * A function that another module exports, known by the module's file URL and the export's name; the module travels as a
 * bundle. A call here imports the module and returns a promise. Throws UsageError when it is sent and cannot be bundled.
 */
export function remote<F extends Code = (...args: any[]) => any>(module: URL, name: string): F;
export function remote(target: Code | URL, detail?: Record<string, unknown> | string): Code {
  if (target instanceof URL) return reference(target, detail);
  if (typeof target !== 'function') throw new UsageError('remote() takes a function, or a file URL and an export name');
  if (typeof detail !== 'object') return snapshot(target);
  const source = sourceOf(target, 'remote()');
  const captures: Record<string, unknown> = {};
  for (const [name, members] of source.names) {
    if (HELPERS.has(name)) continue;
    if (Object.hasOwn(detail, name)) captures[name] = detail[name];
    // Test runners turn the imported name `a` into a member of a variable of theirs.
    else if (/^__vi/.test(name) && members && [...members].every((m) => Object.hasOwn(detail, m))) {
      captures[name] = Object.fromEntries(Array.from(members, (m) => [m, detail[m]]));
    }
  }
  return travelling(target, codeForm(target, source, withBase(target, source, captures)));
}

/**
 * The function with its captured variables as they are now, those of captured functions too. What a variable refers to
 * (an array, a Map) is not copied: it is read whenever the function is sent.
 */
export function snapshot<F extends Code>(fn: F): F {
  return snapshotOf(fn, 'remote()', new Map()) as F;
}

function snapshotOf(fn: Code, path: string, known: Map<Code, Code>): Code {
  const done = known.get(fn);
  if (done) return done;
  if (travellerForm(fn) || nativeForm(fn)) return fn;
  const source = sourceOf(fn, path);
  const taken: Record<string, unknown> = {};
  const result = travelling(fn, (code) => form(code));
  known.set(fn, result);
  for (const [name, value] of Object.entries(readCaptures(fn, source, path))) {
    taken[name] = typeof value === 'function' ? snapshotOf(value, capturedPath(path, name), known) : value;
  }
  const form = codeForm(fn, source, taken);
  return result;
}
