/** Arguments on their way out: encoded, with the code and the pending results that they need. */
import { Assembled } from '../assembly.ts';
import { standsFor } from '../engine/inside.ts';
import { CannotTravelError, DependencyError, UsageError } from '../errors.ts';
import type { FunctionSender } from '../functions/index.ts';
import { encode, payloadBytes } from '../wire/codec.ts';
import { type Need, UNPLACED } from '../wire/envelope.ts';
import type { Form, Payload } from '../wire/forms.ts';
import { AsyncResult } from './async-result.ts';
import type { Call } from './call.ts';
import type { PartRecord } from './call-parts.ts';
import { Ref } from './ref.ts';

interface PackOptions {
  /** Of what comes first, as the user names it. */
  first?: string | undefined;
  root?: string;
  /** Nobody but sessions has the payload. Default: true. */
  passing?: boolean;
}

/** Gathers what the payloads of one call need besides themselves. */
export class Luggage {
  readonly code = new Set<string>();
  readonly needs: Need[] = [];
  readonly uses = new Set<Call>();
  /** Those of `needs` whose engine is not known yet. */
  readonly unplaced: { need: Need; part: PartRecord; call: Call }[] = [];
  bytes = 0;
  #sender: FunctionSender;
  #clusterId: string;

  constructor(sender: FunctionSender, clusterId: string) {
    this.#sender = sender;
    this.#clusterId = clusterId;
  }

  /** Throws CannotTravelError with the path, or DependencyError when a result in it has failed. */
  pack(args: unknown, { first, root = 'args', passing = true }: PackOptions = {}): Payload {
    try {
      const payload = encode(args, {
        root,
        passing,
        lend: true,
        hooks: { form: (value, path) => this.#form(value, path) },
      });
      this.bytes += payloadBytes(payload);
      return payload;
    } catch (error) {
      throw error instanceof CannotTravelError && first !== undefined ? renamed(error, first) : error;
    }
  }

  /** One part of a call, as a value of its own. */
  part(call: Call, part: PartRecord): unknown {
    return new PartOfCall(call, part);
  }

  #form(value: object, path: string): Form | undefined {
    if (value instanceof Ref) return { kind: 'ref', expression: value.expression };
    if (value instanceof AsyncResult) return this.#result(value.call);
    if (value instanceof PartOfCall) return this.#need(value.call, value.part);
    const expression = standsFor(value);
    if (expression) return { kind: 'ref', expression };
    const form = this.#sender.form(value, path);
    if (form && 'hash' in form) this.code.add(form.hash);
    return form;
  }

  #result(call: Call): Form {
    const parts = call.parts.map((part) => new PartOfCall(call, part));
    return { kind: 'value', value: call.assembly === 'single' ? parts[0] : new Assembled(call.assembly, parts) };
  }

  #need(call: Call, part: PartRecord): Form {
    call.observed = true;
    if (part.error)
      throw new DependencyError(`A result used as an argument has failed: ${part.error.message}`, {
        cause: part.error,
      });
    if (call.isHere(part)) return { kind: 'value', value: call.valueHere(part) };
    if (call.home.clusterId !== this.#clusterId) {
      throw new UsageError('A pending result can be used only in its own cluster; await it, and send its value');
    }
    this.uses.add(call);
    const { engine, incarnation } = part;
    const need: Need = {
      client: call.home.clientId,
      call: call.id,
      engine: engine < 0 ? UNPLACED : engine,
      incarnation,
    };
    if (engine < 0) this.unplaced.push({ need, part, call });
    return { kind: 'need', index: this.needs.push(need) - 1 };
  }
}

/** Paths as the user counts: what comes first on the wire is the function, or the data by its name. */
function renamed(error: CannotTravelError, first: string): CannotTravelError {
  const rename = (text: string): string =>
    text.replaceAll(/\bargs\[(\d+)\]/g, (_, i) => (i === '0' ? first : `args[${Number(i) - 1}]`));
  return new CannotTravelError(rename(error.message), rename(error.path), { cause: error.cause });
}

class PartOfCall {
  readonly call: Call;
  readonly part: PartRecord;
  constructor(call: Call, part: PartRecord) {
    this.call = call;
    this.part = part;
  }
}
