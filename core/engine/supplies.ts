/** What calls need besides their arguments, code and pending results, and what others need of this engine's results. */
import { callKey } from '../call-key.ts';
import { DependencyError, ValueLostError } from '../errors.ts';
import type { FunctionStore } from '../functions/store.ts';
import { decode, decodeWithin } from '../wire/codec.ts';
import { type Envelope, type Need, payloadText, UNPLACED } from '../wire/envelope.ts';
import { copyOf, type DecodeHooks, type Payload } from '../wire/forms.ts';
import { answering, type RequestHandler, type Rpc } from '../wire/rpc.ts';
import { Peers, type PeersHome, type Ticket } from './peers.ts';
import { type Outcome, Values } from './values.ts';

export interface SuppliesHome {
  /** Its id and incarnation. */
  engine(): number;
  incarnation(): number;
  /** To the controller; absent before the engine has joined. */
  rpc(): Rpc | undefined;
  readonly functions: FunctionStore;
  /** The value of an expression in the namespace. */
  lookUp(expression: string): unknown;
  /** For halves of paradigms: messages of another engine, and the end of a channel. */
  exchange: PeersHome['exchange'];
  channelLost: PeersHome['lost'];
}

/** What must be here before a payload can be decoded, and what has come of it. */
export interface Wanting {
  readonly code: readonly string[];
  readonly needs: readonly NeedFields[];
  /** By index: those that came along. */
  fetched: Payload[];
  missing: number;
  failure: unknown;
}

/** A need as it is read from the wire: what is 0 may be absent. */
type NeedFields = { [K in keyof Need]?: Need[K] | null | undefined };

export class Supplies {
  readonly values = new Values();
  /** What the controller asks of us on behalf of others. */
  readonly requests: Record<string, RequestHandler>;
  #home: SuppliesHome;
  readonly peers: Peers;
  #needless: DecodeHooks;

  constructor(home: SuppliesHome) {
    this.#home = home;
    this.#needless = this.#hooks([]);
    this.peers = new Peers({
      ask: async (engine) => home.rpc()?.ask('ticket', engine),
      certify: async (publicKey, address) => home.rpc()?.ask('certify', { publicKey, address }),
      serve: { peek: (header) => this.#peek(header) },
      exchange: (session, engine) => home.exchange(session, engine),
      engine: () => home.engine(),
      lost: (engine, reason) => home.channelLost(engine, reason),
    });
    this.requests = {
      ticket: answering((ticket: Ticket) => this.peers.admit(ticket)),
      fetch: (header) => this.#fetch(header),
    };
  }

  /** Sees to it that code and pending values are here before the job starts; `progress` is called at each arrival. */
  gather(job: Wanting, progress: () => void, remake = true): void {
    const arrived = (error?: unknown): void => {
      job.missing--;
      if (error !== undefined) job.failure ??= error;
      progress();
    };
    const { functions } = this.#home;
    functions.pin(job.code);
    const unknown = job.code.filter((hash) => !functions.has(hash));
    if (unknown.length) {
      job.missing++;
      this.#home
        .rpc()
        ?.request('code', { code: unknown })
        .then((texts) => {
          for (const [i, hash] of unknown.entries()) functions.add(hash, payloadText(texts[i]));
          arrived();
        }, arrived);
    }
    for (const [i, fields] of job.needs.entries()) {
      if (job.fetched[i]) continue;
      const need = needOf(fields);
      job.missing++;
      this.#resolve(need, remake, (got) => {
        if ('payload' in got) job.fetched[i] = got.payload;
        arrived('payload' in got ? undefined : dependencyError(got.error));
      });
    }
  }

  /** Gathers what it needs, and decodes it. */
  open(
    item: {
      payload: Payload;
      code: readonly string[];
      needs: readonly NeedFields[];
      texts?: readonly string[] | undefined;
      values?: readonly (Payload | undefined)[] | undefined;
    },
    done: (error: { thrown: unknown } | undefined, value?: unknown) => void,
    { remake }: { remake?: boolean } = {},
  ): void {
    const { code, needs, values = [] } = item;
    const wanting: Wanting = { code, needs, fetched: [...values] as Payload[], missing: 1, failure: undefined };
    const progress = (): void => {
      if (wanting.missing) return;
      this.#home.functions.done(item.code);
      let value: unknown;
      try {
        if (wanting.failure !== undefined) throw wanting.failure;
        value = this.decode(item.payload, wanting.fetched);
      } catch (thrown) {
        done({ thrown });
        return;
      }
      done(undefined, value);
    };
    const { functions } = this.#home;
    for (const [i, text] of item.texts?.entries() ?? [])
      if (!functions.has(item.code[i]!)) functions.add(item.code[i]!, text);
    this.gather(wanting, progress, remake);
    // Some may have arrived at once.
    wanting.missing--;
    progress();
  }

  /** With the functions, fetched values and names of the namespace that stand in it. */
  decode(payload: Payload, fetched: readonly Payload[]): unknown {
    return decode(payload, fetched.length ? this.#hooks(fetched) : this.#needless);
  }

  /** The same, of a payload of one part that lies among other bytes and needs nothing. */
  decodeWithin(bytes: Uint8Array, from: number, size: number): unknown {
    return decodeWithin(bytes, from, size, this.#needless);
  }

  #hooks(fetched: readonly Payload[]): DecodeHooks {
    const { functions, lookUp } = this.#home;
    return {
      revive: (form) => {
        if (form.kind === 'need') return { value: fetched[form.index] && decode(fetched[form.index]!) };
        if (form.kind === 'ref') return { value: lookUp(form.expression) };
        return functions.revive(form);
      },
    };
  }

  /** A pending value: from this engine, from the engine that makes it, or from the client that has it already. */
  #resolve(need: Need, remake: boolean, callback: (got: Got) => void): void {
    const fail = (error: unknown): void => callback({ error });
    const take = ([payload]: Payload[]): void => (payload ? callback({ payload }) : fail(gone()));
    const askClient = (): void =>
      void this.#home
        .rpc()
        ?.request(remake ? 'value' : 'value-there', { needs: [need] })
        .then(take, fail);
    if (need.engine === UNPLACED) {
      const place = this.#home.rpc()?.ask('place', need);
      place?.then((where) => (where ? this.#resolve({ ...need, ...where }, remake, callback) : askClient()), fail);
      return;
    }
    if (need.engine !== this.#home.engine()) {
      this.peers.fetch(need.engine, need).then((payloads) => (payloads.length ? take(payloads) : askClient()), fail);
      return;
    }
    this.#whenSettled(need, (outcome) => {
      if (!outcome) askClient();
      // What is decoded owns its memory; the kept value must not change with it.
      else if (outcome.ok) callback({ payload: copyOf(outcome.payload) });
      else fail(decode(outcome.payload));
    });
  }

  /** Another engine asks for a result. An empty answer: it has come and gone. */
  #peek(header: Envelope): Promise<{ payloads: Payload[] }> {
    return new Promise((resolve, reject) => {
      this.#whenSettled(header.needs[0] as Need, (outcome) => {
        if (outcome && !outcome.ok) reject(decode(outcome.payload));
        else {
          if (outcome) outcome.read = true;
          resolve({ payloads: outcome ? [outcome.payload] : [] });
        }
      });
    });
  }

  /** What an earlier incarnation of this engine would have made will not come. */
  #whenSettled(need: Need, callback: (outcome: Outcome | undefined) => void): void {
    const { client, call, incarnation, settled } = need;
    if (incarnation && incarnation !== this.#home.incarnation()) callback(undefined);
    else if (settled) callback(this.values.find(callKey(client, call)));
    else this.values.whenSettled(callKey(client, call), client, call, callback);
  }

  /** The client wants its result: it leaves this engine. Where another engine may still be reading it, as a copy. */
  #fetch(header: Envelope): { payloads: Payload[]; owned: boolean } {
    const { client = 0, call = 0 } = header.needs[0] as Need;
    const { payload, read } = this.values.take(callKey(client, call));
    return { payloads: [payload], owned: !read };
  }
}

function needOf({ client, call, engine, incarnation, settled }: NeedFields): Need {
  const need = { client: client ?? 0, call: call ?? 0, engine: engine ?? 0, incarnation: incarnation ?? 0 };
  return settled ? { ...need, settled } : need;
}

type Got = { payload: Payload } | { error: unknown };

function gone(): ValueLostError {
  return new ValueLostError('The value is gone');
}

function dependencyError(error: unknown): DependencyError {
  const why = error instanceof Error ? error.message : String(error);
  return new DependencyError(`A pending result used as an argument failed: ${why}`, { cause: error });
}
