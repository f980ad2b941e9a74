/** Paradigms on a client: puts their halves in place, and makes what `use` returns. */
import { filter, map } from 'rxjs';
import { EngineLostError, InvalidTargetError, ParadigmError, UsageError } from '../errors.ts';
import { isConstant } from '../functions/index.ts';
import { bundleHalf } from '../paradigm/bundle.ts';
import { type Address, type Asked, Exchange } from '../paradigm/exchange.ts';
import {
  type AnyDefinition,
  type ClientHost,
  definitionOf,
  type Handlers,
  PARADIGM_API_VERSION,
  type Paradigm,
  type ResultHooks,
} from '../paradigm/paradigm.ts';
import { asParcel, Parcel } from '../paradigm/parcel.ts';
import { groupOf, partyAt, type Voice } from '../paradigm/party.ts';
import { decode, decodeWithin, encode, encodePlain } from '../wire/codec.ts';
import { type Envelope, type Header, textPayload } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Luggage } from './arguments.ts';
import type { Client } from './client.ts';

export interface ParadigmsHome {
  send(header: Header, payloads: readonly Payload[], owned?: boolean): void;
  drained(): Promise<void>;
  /**
   * Encodes for engines: functions and pending results may be in the value. Code that is new has been sent then.
   * @param passing nobody but sessions has the payload
   */
  luggage(value: unknown, passing: boolean): { payload: Payload; luggage: Luggage; lend?: Asked['lend'] };
  clientId(): number;
  nextCall(): number;
  settled(call: number): Promise<Error | undefined>;
  results(hooks: ResultHooks): ReturnType<ClientHost['results']>;
  /** Ids of the engines that there are. */
  engines(): number[];
  /** Where the controller is in this process: what this program uses, its controller may start. */
  offer?: ((definition: AnyDefinition) => void) | undefined;
}

interface InUse {
  readonly definition: AnyDefinition;
  readonly handlers: Handlers;
  /** Why it cannot be used, once that is known. */
  refusal: Error | undefined;
  readonly whenRefused: ((error: Error) => void)[];
  readonly whenClosed: (() => void)[];
  shared: { value: unknown } | undefined;
}

export class Paradigms {
  #home: ParadigmsHome;
  #exchange: Exchange;
  #used = new Map<string, InUse>();

  constructor(home: ParadigmsHome) {
    this.#home = home;
    this.#exchange = new Exchange({
      send: (header, payloads, owned) => home.send(header, payloads, owned),
      half: (paradigm, ready) => {
        const handlers = this.#used.get(paradigm)?.handlers;
        ready(handlers ?? new ParadigmError(`This client does not use paradigm '${paradigm}'`));
      },
      sender: ({ targets }) => (targets.length ? { role: 'engine', id: targets[0]! } : { role: 'controller', id: 0 }),
      // As Node treats what nobody handles. What this client has no ear for is no fault of its program.
      fell: (_paradigm, _op, error, unheard) => void (unheard || Promise.reject(error)),
    });
  }

  /** What a paradigm offers to this client. Its halves are on their way when this returns; what is asked of them waits. */
  use<A>(client: Client, paradigm: unknown, options: readonly unknown[]): A {
    const definition = definitionOf(paradigm);
    if (!definition)
      throw new UsageError('use takes a paradigm, as defineParadigm makes it; e.g. client.use(taskFarm)');
    const inUse = this.#install(definition);
    return definition.client(this.#hostFor(client, inUse), ...options) as A;
  }

  parcel<T>(value: T): Parcel<T> {
    const { payload, luggage } = this.#home.luggage(value, false);
    return luggage.uses.size || luggage.code.size
      ? new Parcel(payload, [...luggage.code], luggage.needs, [value])
      : new Parcel(payload);
  }

  receive(header: Envelope, payloads: Payload[]): void {
    this.#exchange.receive(header, payloads);
  }

  engineLost(engine: number, reason: string): void {
    const error = new EngineLostError(`Engine ${engine} was lost: ${reason}`, { engine });
    this.#exchange.gone('engine', engine, error);
  }

  /** The client is about to close: halves may have something to say yet. */
  closing(): void {
    for (const { whenClosed } of this.#used.values()) for (const listener of whenClosed) listener();
  }

  end(error: Error): void {
    this.#exchange.fail(error);
  }

  /** After those that it requires. */
  #install(definition: AnyDefinition): InUse {
    const { name, version, controller, engine, requires = [], apiVersion = PARADIGM_API_VERSION } = definition;
    const there = this.#used.get(name);
    if (there) {
      if (
        there.definition !== definition &&
        (there.definition.module !== definition.module || there.definition.version !== version)
      )
        throw new ParadigmError(
          `This client uses another paradigm called '${name}' already: version ${there.definition.version} of ${there.definition.module ?? 'this program'}; one of them needs another name`,
        );
      return there;
    }
    if (apiVersion !== PARADIGM_API_VERSION)
      throw new ParadigmError(
        `Paradigm '${name}' is written for version ${apiVersion} of the plug-in door, and this tutti has version ${PARADIGM_API_VERSION}; use versions of both that fit`,
      );
    for (const required of requires) this.#install(definitionOf(required) ?? notOne(definition));
    if (controller) this.#home.offer?.(definition);
    const bundle = bundleHalf(definition);
    const inUse: InUse = {
      ...{ definition, handlers: {}, refusal: undefined, whenRefused: [], whenClosed: [] },
      shared: undefined,
    };
    this.#used.set(name, inUse);
    const wanted = { version, controller: controller !== undefined, engine: engine !== undefined };
    const payloads = [encode(wanted), ...(bundle ? [textPayload(bundle.text)] : [])];
    this.#exchange.ask(name, '#use', {}, { payloads }).catch((error: Error) => {
      inUse.refusal = error;
      // It may be put right: a controller that is started anew, another version that is loaded.
      if (this.#used.get(name) === inUse) this.#used.delete(name);
      for (const tell of inUse.whenRefused) tell(error);
    });
    return inUse;
  }

  #hostFor(client: Client, inUse: InUse): ClientHost {
    const { name: paradigm, requires = [] } = inUse.definition;
    const home = this.#home;
    const check = (): void => {
      if (inUse.refusal) throw inUse.refusal;
    };
    const toController = (value: unknown): Asked => {
      check();
      return { payloads: value === undefined ? [] : [encode(value, { root: 'value' })] };
    };
    const toEngines = (value: unknown): Asked => {
      check();
      if (value === undefined) return { payloads: [] };
      const { payload, luggage, lend } = home.luggage(value, true);
      return { payloads: [payload], code: [...luggage.code], needs: luggage.needs, lend };
    };
    const voice = (pack: Voice['pack']): Voice => ({
      paradigm,
      pack,
      exchange: () => {
        check();
        return this.#exchange;
      },
      drained: () => home.drained(),
    });
    const engines = (ids: readonly number[] | undefined): readonly number[] => {
      const there = home.engines();
      for (const id of ids ?? [])
        if (!there.includes(id))
          throw new InvalidTargetError(`There is no engine ${id}; engines here: ${there.join(', ') || 'none'}`);
      return ids ?? there;
    };
    const toGroup = (ids: readonly number[] | undefined) =>
      groupOf({ paradigm, pack: toEngines }, () =>
        engines(ids).map((id) => ({ exchange: this.#exchange, address: { engines: [id] } })),
      );
    return {
      client,
      controller: partyAt(voice(toController)),
      engine: (id) => {
        engines([id]);
        const address: Address = { engines: [id] };
        return partyAt(voice(toEngines), address);
      },
      group: (ids) => ({
        ask: toGroup(ids).ask,
        // One message, which the controller passes on to all.
        tell: (op, value) => {
          const to = engines(ids);
          const told = toEngines(value);
          // To no engine would be to the controller.
          if (to.length) this.#exchange.tell(paradigm, op, { engines: to }, told);
        },
      }),
      handle: (handlers) => {
        for (const [op, handler] of Object.entries(handlers)) {
          if (inUse.handlers[op])
            throw new ParadigmError(
              `Paradigm '${paradigm}': '${op}' has a handler in this client already (see host.shared)`,
            );
          inUse.handlers[op] = handler;
        }
      },
      onRefused: (listener) => void inUse.whenRefused.push(listener),
      onClose: (listener) => void inUse.whenClosed.push(listener),
      shared: <T>(make: () => T): T => {
        inUse.shared ??= { value: make() };
        return inUse.shared.value as T;
      },
      events$: client.events$.pipe(
        filter((event) => event.type === 'paradigm' && event.paradigm === paradigm),
        map((event) => (event as { event: unknown }).event),
      ),
      parcel: (value) => this.parcel(value),
      read: (parcel) => decode(asParcel(parcel).payload) as never,
      readWithin: (bytes, from, size) => decodeWithin(bytes, from, size) as never,
      pack: encodePlain,
      isConstant,
      get id() {
        return home.clientId();
      },
      settled: (call) => home.settled(call),
      nextCall: () => home.nextCall(),
      results: (hooks) => home.results(hooks),
      open: async (parcel) => decode(asParcel(parcel).payload) as never,
      use: <A, O extends unknown[]>(other: (...options: O) => Paradigm<A>, ...options: O): A => {
        if (!requires.some((required) => definitionOf(required)?.name === definitionOf(other)?.name))
          throw new ParadigmError(`Paradigm '${paradigm}' uses another one that it does not name in 'requires'`);
        return this.use<A>(client, other, options);
      },
    };
  }
}

function notOne({ name }: AnyDefinition): never {
  throw new ParadigmError(`Paradigm '${name}' requires something that is no paradigm`);
}
