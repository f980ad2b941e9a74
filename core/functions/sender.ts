import type { Form } from '../wire/forms.ts';
import { readCaptures } from './captures.ts';
import { hasConsole } from './console-names.ts';
import { codeForm, nativeForm } from './form-makers.ts';
import { isNamespace } from './globals.ts';
import { sourceOf } from './source.ts';
import { type Code, type FormMaker, travellerForm } from './travellers.ts';

/** Functions that captured nothing: what they are cannot change. */
const constant = new WeakMap<Code, FormMaker>();

/** Was it found to have captured nothing? Then it travels in the same form every time. */
export function isConstant(fn: unknown): boolean {
  return typeof fn === 'function' && constant.has(fn);
}

/**
 * Describes functions for the wire; one per client. Own properties of a function do not travel, and a class's static
 * fields start anew where it arrives.
 */
export class FunctionSender {
  /** Every text that a form made here refers to, by its hash. */
  readonly code: Map<string, string> = new Map();

  /**
   * The form of a function, a class or a module's namespace; undefined for any other object. Captured variables are read
   * now, at every call. Throws CannotTravelError.
   */
  form(value: object, path: string): Form | undefined {
    if (typeof value !== 'function') return this.#objectForm(value);
    const known = constant.get(value) ?? travellerForm(value) ?? nativeForm(value);
    if (known) return known(this.code);
    const source = sourceOf(value, path);
    const captures = readCaptures(value, source, path);
    const make = codeForm(value, source, captures);
    if (Object.keys(captures).length === 0 && !(hasConsole() && source.names.size)) constant.set(value, make);
    return make(this.code);
  }

  #objectForm(value: object): Form | undefined {
    const known = travellerForm(value) ?? nativeForm(value);
    if (known) return known(this.code);
    return isNamespace(value) ? { kind: 'value', value: { ...value } } : undefined;
  }
}
