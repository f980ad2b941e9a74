/** Halves of paradigms on this engine, and those they talk to. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { callKey } from '../call-key.ts';
import { ParadigmError, ProtocolError, SessionLostError, ValueLostError } from '../errors.ts';
import { shortHash } from '../functions/origins.ts';
import { type Address, type Asked, Exchange } from '../paradigm/exchange.ts';
import { Halves } from '../paradigm/halves.ts';
import {
  type CallId,
  type EngineHost,
  type Handlers,
  type Loss,
  type MakeEngineHalf,
  type Outcome,
  paradigmsIn,
  type Work,
} from '../paradigm/paradigm.ts';
import { asParcel, LEND, Parcel } from '../paradigm/parcel.ts';
import { partyAt, type Voice } from '../paradigm/party.ts';
import { codeHash } from '../wire/code-hash.ts';
import { encode } from '../wire/codec.ts';
import { type Envelope, payloadText } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Session } from '../wire/session.ts';
import { requireOnEngine } from './library.ts';
import { PeerVoice } from './peer-voice.ts';
import type { Supplies } from './supplies.ts';

export interface ParadigmsHome {
  engine(): number;
  readonly directory: string;
  readonly supplies: Supplies;
  /** Makes a name known to the code that runs here. */
  provide(name: string, value: unknown): void;
  /** No call begins before `release` is called. */
  hold(): () => void;
  start(works: readonly Work[], onMicrotask: boolean, ms?: number): void;
  abort(call: CallId, reason: unknown): void;
  settle(call: CallId, ok: boolean, value: unknown, stay: boolean): Outcome;
  /** By a client on this engine. */
  codeParcel(value: unknown): Promise<Parcel>;
  log(message: string, error: unknown): void;
}

export class Paradigms {
  #home: ParadigmsHome;
  #halves = new Halves('this engine');
  #exchange: Exchange | undefined;
  #session: Session | undefined;
  #listeners = new Set<(loss: Loss) => void>();
  /** Messages of a client that wait for what a former one of the same client needs. */
  #opening = new Map<number, (() => void)[]>();

  constructor(home: ParadigmsHome) {
    this.#home = home;
  }

  /** With the controller; halves are put in place anew, since it may be another one. */
  joined(session: Session): void {
    this.#session = session;
    this.#halves = new Halves('this engine');
    this.#listeners.clear();
    this.#exchange = this.exchangeOver(session, (header) =>
      header.client ? { role: 'client', id: header.client } : { role: 'controller', id: 0 },
    );
  }

  lostController(reason: string): void {
    this.#exchange?.fail(new SessionLostError(`The engine lost its controller: ${reason}`));
  }

  receive(header: Envelope, payloads: Payload[]): void {
    if (header.op === '#load' && !header.client) this.#load(header.paradigm, payloadText(payloads[0]));
    else this.#exchange?.receive(header, payloads);
  }

  lost(loss: Loss): void {
    if (loss.type === 'client') {
      const error = new ValueLostError(`Client ${loss.client} has left`);
      this.#exchange?.gone('client', loss.client, error);
      this.#opening.delete(loss.client);
    }
    for (const listener of this.#listeners) {
      try {
        listener(loss);
      } catch (error) {
        this.#home.log('A listener for losses failed', error);
      }
    }
  }

  exchangeOver(session: Pick<Session, 'send'>, sender: (header: Envelope) => ReturnType<Sender>): Exchange {
    return new Exchange({
      send: (header, payloads, owned) => session.send(header, payloads, owned),
      half: (paradigm, ready) => this.#halves.get(paradigm, ready),
      sender,
      open: (header, payload, ready, failed) => this.#open(header, payload, ready, failed),
      fell: (paradigm, op, error) => this.#home.log(`Paradigm '${paradigm}': '${op}' failed`, error),
    });
  }

  /** In order: what needs code or values that are not here yet holds up later messages of the same client. */
  #open(
    header: Envelope,
    payload: Payload | undefined,
    ready: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    const { client, code, needs } = header;
    const begin = (then: () => void): void => {
      if (!payload) {
        ready(undefined);
        then();
        return;
      }
      this.#home.supplies.open({ payload, code, needs }, (error, value) => {
        if (error) failed(error.thrown);
        else ready(value);
        then();
      });
    };
    const before = this.#opening.get(client);
    if (before) {
      before.push(() => begin(() => this.#opened(client)));
      return;
    }
    if (!code.length && !needs.length) {
      begin(() => {});
      return;
    }
    this.#opening.set(client, []);
    begin(() => this.#opened(client));
  }

  #opened(client: number): void {
    const next = this.#opening.get(client)?.shift();
    if (next) next();
    else this.#opening.delete(client);
  }

  /** Calls that come later find its globals. */
  #load(paradigm: string, text: string): void {
    const release = this.#home.hold();
    this.#halves
      .put(paradigm, async () => {
        const make = makerIn(paradigm, this.#run(paradigm, text));
        const { globals = {}, ...handlers } = await make(this.#hostFor(paradigm));
        for (const [name, value] of Object.entries(globals)) this.#home.provide(name, value);
        return handlers as Handlers;
      })
      .catch((error) => this.#home.log(`Paradigm '${paradigm}' failed to load`, error))
      .finally(release);
  }

  #run(paradigm: string, text: string): Record<string, unknown> {
    const { directory } = this.#home;
    const file = path.join(directory, `[${paradigm}]`);
    const script = new vm.Script(
      `${text}\n//# sourceURL=tutti:///paradigm/${paradigm}-${shortHash(codeHash(text))}.js`,
      {
        filename: file,
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      },
    );
    const module = { exports: {} as { namespace: Record<string, unknown> } };
    const require = requireOnEngine(createRequire(`${directory}${path.sep}`));
    script.runInThisContext()(module.exports, require, module, file, directory, pathToFileURL(file).href);
    return module.exports.namespace;
  }

  #hostFor(paradigm: string): EngineHost {
    const home = this.#home;
    const pack = (value: unknown): Asked => ({ payloads: value === undefined ? [] : [encode(value, LEND)] });
    const voice: Voice = {
      paradigm,
      pack,
      exchange: () => {
        if (!this.#exchange) throw new ProtocolError('This engine has not joined yet');
        return this.#exchange;
      },
      drained: async () => this.#session?.drained(),
    };
    const at = (address: Address) => partyAt(voice, address);
    return {
      get id() {
        return home.engine();
      },
      controller: at({}),
      client: (id) => at({ client: id }),
      engine: (id) => new PeerVoice(paradigm, pack, () => home.supplies.peers.channel(id)),
      run: (code, options = {}) =>
        new Promise((resolve, reject) => {
          const done = (ok: boolean, value: unknown): void => (ok ? resolve(value as never) : reject(value));
          home.start([{ ...options, code, done }], false);
        }),
      open: (parcel, options) =>
        new Promise((resolve, reject) => {
          const done = (error: { thrown: unknown } | undefined, value: unknown): void =>
            error ? reject(error.thrown) : resolve(value as never);
          home.supplies.open(asParcel(parcel), done, options);
        }),
      openTo: (parcel, done, options) =>
        home.supplies.open(asParcel(parcel), done as (error: unknown, value?: unknown) => void, options),
      read: (parcel) => home.supplies.decode(asParcel(parcel).payload, []) as never,
      readWithin: (bytes, from, size) => home.supplies.decodeWithin(bytes, from, size) as never,
      parcel: (value) => new Parcel(encode(value, LEND)),
      codeParcel: (value) => home.codeParcel(value),
      start: (works, { onMicrotask = false, within } = {}) => home.start(works, onMicrotask, within),
      settle: (call, ok, value, { stay = true } = {}) => home.settle(call, ok, value, stay),
      abort: (call, reason) => home.abort(call, reason),
      release: (calls) => {
        for (const { client, call } of calls) home.supplies.values.release(callKey(client, call));
      },
      onLoss: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }
}

type Sender = (header: Envelope) => { role: 'client' | 'controller' | 'engine'; id: number };

/** A module of its own has the half as its default export; else it is part of a definition. */
function makerIn(paradigm: string, namespace: Record<string, unknown>): MakeEngineHalf {
  const definition = paradigmsIn(namespace).find(({ name }) => name === paradigm);
  const make = definition ? definition.engine : namespace.default;
  if (typeof make === 'function') return make as MakeEngineHalf;
  throw new ParadigmError(
    `Paradigm '${paradigm}': its module exports no engine half; export the paradigm, or the half as the default export of the module that 'engine' names`,
  );
}
