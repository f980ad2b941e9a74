/** What `import … from 'tutti'` means in a paradigm's half on an engine: the part of the package that engines have. */
import * as errors from '../errors.ts';
import { defineParadigm } from '../paradigm/paradigm.ts';
import { Parcel } from '../paradigm/parcel.ts';
import { registerClass } from '../wire/classes.ts';
import { share, transfer } from '../wire/ownership.ts';
import { engine, task } from './inside.ts';

const packages: Record<string, object> = {
  tutti: { ...errors, defineParadigm, Parcel, registerClass, share, transfer },
  'tutti/engine': { engine, task, registerClass },
};

/** `require` for halves; other packages are in their bundle, or found from the engine's working directory. */
export function requireOnEngine(require: NodeJS.Require): NodeJS.Require {
  return Object.assign((id: string) => packages[id] ?? require(id), require);
}
