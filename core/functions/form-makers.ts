import { codeHash } from '../wire/code-hash.ts';
import type { Form } from '../wire/forms.ts';
import { builtinForm } from './builtins.ts';
import type { ModuleBundle } from './bundle.ts';
import { globalPath } from './globals.ts';
import { factoryOf, type Source } from './source.ts';
import type { Code, FormMaker } from './travellers.ts';
import { wasWritten } from './whereabouts.ts';

/** The form of one export of a bundled module. */
export function moduleForm({ hash, text }: ModuleBundle, name: string | null): FormMaker {
  return (code) => {
    code.set(hash, text);
    return { kind: 'module', hash, export: name };
  };
}

/** The form of what every Node has: exports of its modules, and well-known globals, which travel as their name. */
export function nativeForm(value: object): FormMaker | undefined {
  const expression = globalPath(value);
  if (expression) {
    const text = `(function () { return ${expression}; })`;
    const hash = codeHash(text);
    return (code) => {
      code.set(hash, text);
      return { kind: 'code', hash, name: expression, captures: {} };
    };
  }
  const form = builtinForm(value);
  return form && (() => form);
}

/** The form of a function with the given captured values. */
export function codeForm(fn: Code, source: Source, captures: Record<string, unknown>): FormMaker {
  const { hash, text } = factoryOf(source, Object.keys(captures));
  const form: Form = { kind: 'code', hash, name: String(fn.name), captures };
  wasWritten(fn, source, { hash, text });
  return (code) => {
    code.set(hash, text);
    return form;
  };
}
