import type { Form } from '../wire/forms.ts';

/** A function or a class. */
// biome-ignore lint/complexity/noBannedTypes: no narrower type takes functions and classes, abstract ones too
export type Code = Function;

/** Makes the form of a value, leaving the texts that it refers to in `code`. */
export type FormMaker = (code: Map<string, string>) => Form;

/** Values that know their own form: functions made by `remote`, and stand-ins for captured imports. */
const travellers = new WeakMap<object, FormMaker>();

/** Something captured that travels by reference, where the codec meets it. */
class StandIn {}

export function travellerForm(value: object): FormMaker | undefined {
  return travellers.get(value);
}

/** A value that travels in the given form, in place of a captured one. */
export function standIn(make: FormMaker): object {
  const value = new StandIn();
  travellers.set(value, make);
  return value;
}

/** The function itself, to call and to look at, but travelling in the given form. */
export function travelling<F extends object>(fn: F, make: FormMaker): F {
  const value = new Proxy(fn, {});
  travellers.set(value, make);
  return value;
}
