/** What `import … from 'tutti'` means in a paradigm's half on an engine: the part of the package that engines have. */
import * as errors from '../errors.ts';
import { CORE_ON_ENGINES } from '../paradigm/on-engines.ts';
import { defineParadigm } from '../paradigm/paradigm.ts';
import { Parcel } from '../paradigm/parcel.ts';
import { registerClass } from '../wire/classes.ts';
import { decode, encode } from '../wire/codec.ts';
import { registerErrorClass } from '../wire/error-codec.ts';
import { share, transfer } from '../wire/ownership.ts';
import { engine, task } from './inside.ts';

const packages: Record<string, object> = {
  tutti: { ...errors, decode, defineParadigm, encode, Parcel, registerClass, registerErrorClass, share, transfer },
  'tutti/engine': { engine, task, registerClass },
};
for (const [name, files] of Object.entries(CORE_ON_ENGINES)) for (const file of files) packages[file] = packages[name]!;

/** `require` for halves; other packages are in their bundle, or found from the engine's working directory. */
export function requireOnEngine(require: NodeJS.Require): NodeJS.Require {
  return Object.assign((id: string) => packages[id] ?? require(id), require);
}
