/** The engines of a cluster: ids, incarnations, states, and what became of them. */
import type { ClusterEvent, EngineInfo, EngineState } from '../cluster-info.ts';
import type { Traffic } from '../cluster-status.ts';
import type { InterruptResult } from '../conversation.ts';
import { EngineLostError, InvalidTargetError } from '../errors.ts';
import type { AnswerCodec } from '../wire/answer.ts';
import type { Header } from '../wire/envelope.ts';
import type { Key } from '../wire/handshake.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import type { CallCount } from './call-counts.ts';
import { Control } from './control.ts';
import { addTraffic, noTraffic, trafficOf } from './traffic.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One engine's part of a call, on the controller's books. */
export interface Running {
  readonly client: number;
  readonly call: number;
  readonly codec: AnswerCodec;
  /** The call has no other target. */
  readonly only: boolean;
  readonly count: CallCount;
  /** performance.now() when it was sent on. */
  readonly began: number;
  readonly op: string;
  readonly label: string;
  /** Date.now() of the engine when it began, once that was told. */
  since?: number;
  /** It is answered; the reply waits until what the task has told has been passed on. */
  held?: boolean;
  /** The answer to an order to stop, once it was given. */
  stopping?: Promise<InterruptResult>;
  /** Called when it is off the books. */
  whenOver?: () => void;
}

export interface EngineRecord {
  readonly id: number;
  info: Mutable<EngineInfo>;
  /** Proves the engine at every connection; revoked with it. */
  key: Key;
  /** It is told that this is its key from now on, and may come with either until it has answered. */
  nextKey: Key | undefined;
  session: Session | undefined;
  rpc: Rpc | undefined;
  /** Where it came from, as its connection says. */
  remote: string;
  /** It has a supervisor, which beats for it. */
  supervised: boolean;
  control: Control;
  /** Calls forwarded and not answered yet. */
  readonly running: Map<number, Running>;
  lastOutput: string;
  /** Its last heartbeat. */
  beat: NonNullable<Header['beat']>;
  /** What went over its sessions before this one. */
  past: Traffic;
  /** How it was lost, while it is. */
  end: { reason: string; exitCode?: number | null; signal?: string | null } | undefined;
  /** It joined by itself, so nobody here can start it anew. */
  readonly external: boolean;
  /** It was asked to end: that it is gone will be no surprise. */
  leaving: boolean;
  /** It is to be removed as soon as nothing is left on it. */
  draining: boolean;
  /** Has it ever joined? Before that it is no target. */
  joined: boolean;
}

const OUTPUT_KEPT = 2_000;

export class Registry {
  readonly engines = new Map<number, EngineRecord>();
  /** Of engines that were removed. */
  readonly past = noTraffic();
  #next = 0;
  #waiters = new Set<{ record: EngineRecord; incarnation: number; done: () => void }>();
  #onChange: (event: ClusterEvent) => void;
  #onLost: (record: EngineRecord, error: EngineLostError) => void;

  constructor(hooks: { changed(event: ClusterEvent): void; lost(record: EngineRecord, error: EngineLostError): void }) {
    this.#onChange = hooks.changed;
    this.#onLost = hooks.lost;
  }

  /** A place for an engine that is about to join. */
  expect(key: Key, external = false): EngineRecord {
    const id = this.#next++;
    const info: EngineInfo = {
      id,
      incarnation: 0,
      host: '',
      pid: 0,
      kind: '',
      transport: '',
      state: 'lost',
      memory: 0,
      cwd: '',
      node: '',
    };
    const record: EngineRecord = {
      id,
      info,
      key,
      nextKey: undefined,
      session: undefined,
      rpc: undefined,
      remote: '',
      supervised: false,
      control: new Control(),
      running: new Map(),
      lastOutput: '',
      beat: {},
      past: noTraffic(),
      end: undefined,
      external,
      leaving: false,
      draining: false,
      joined: false,
    };
    this.engines.set(id, record);
    return record;
  }

  /** How many ids were given so far. */
  get given(): number {
    return this.#next;
  }

  get(id: number): EngineRecord {
    const record = this.engines.get(id);
    if (record) return record;
    const known = [...this.engines.keys()].join(', ');
    throw new InvalidTargetError(`There is no engine ${String(id).slice(0, 20)}; engines here: ${known || 'none'}`);
  }

  byKey(key: string): EngineRecord | undefined {
    for (const record of this.engines.values()) if (keyOf(record, key)) return record;
    return undefined;
  }

  infos(): EngineInfo[] {
    return [...this.engines.values()].filter((r) => r.joined).map((r) => ({ ...r.info }));
  }

  /** Calls back once when this incarnation has joined. */
  whenJoined(record: EngineRecord, incarnation: number, done: () => void): { cancel(): void } {
    const waiter = { record, incarnation, done };
    this.#waiters.add(waiter);
    return { cancel: () => void this.#waiters.delete(waiter) };
  }

  joined(record: EngineRecord, about: Partial<EngineInfo>): void {
    Object.assign(record.info, about, { state: 'alive', incarnation: record.info.incarnation + 1 });
    record.joined = true;
    record.lastOutput = '';
    record.beat = {};
    record.end = undefined;
    record.leaving = record.draining = false;
    this.#onChange({ type: 'engine-joined', engine: { ...record.info } });
    for (const waiter of this.#waiters) {
      if (waiter.record !== record || waiter.incarnation > record.info.incarnation) continue;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }

  state(record: EngineRecord, given: EngineState): void {
    const state = record.draining && (given === 'alive' || given === 'busy') ? 'draining' : given;
    const was = record.info.state;
    if (was === state) return;
    record.info.state = state;
    this.#onChange({ type: 'engine-state', engine: { ...record.info }, was });
  }

  /** Gives an engine up: what it held is rejected. It may come back as a new incarnation. */
  lost(record: EngineRecord, reason: string, exit: { exitCode?: number | null; signal?: string | null } = {}): void {
    if (record.info.state === 'lost') return;
    record.info.state = 'lost';
    record.end = { reason, ...exit };
    const { session, rpc } = record;
    record.session = record.rpc = undefined;
    record.control.end(reason);
    if (session) addTraffic(record.past, trafficOf(session));
    session?.abandon(reason);
    const error = lostError(record, reason, exit);
    rpc?.fail(error);
    // Whoever hears that his call has failed is not to send the next one there.
    this.#onChange({ type: 'engine-lost', engine: { ...record.info }, reason });
    this.#onLost(record, error);
  }

  remove(record: EngineRecord, reason: string): void {
    this.lost(record, reason);
    if (!this.engines.delete(record.id) || !record.joined) return;
    addTraffic(this.past, record.past);
    this.#onChange({ type: 'engine-removed', engine: { ...record.info } });
  }

  output(record: EngineRecord, text: Uint8Array): void {
    const end = Buffer.from(text.buffer, text.byteOffset, text.byteLength).subarray(-4 * OUTPUT_KEPT);
    record.lastOutput = (record.lastOutput + end.toString()).slice(-OUTPUT_KEPT);
  }
}

/** Its key of this id. */
export function keyOf({ key, nextKey }: EngineRecord, id: string): Key | undefined {
  return key.id === id ? key : nextKey?.id === id ? nextKey : undefined;
}

export function lostError(
  record: EngineRecord,
  reason: string,
  exit: { exitCode?: number | null; signal?: string | null } = {},
): EngineLostError {
  const printed = record.lastOutput.trim().split('\n').slice(-5).join('\n  ');
  const message = `Engine ${record.id} was lost: ${reason}${printed ? `. It last printed:\n  ${printed}` : ''}`;
  return new EngineLostError(message, { engine: record.id, ...exit, lastOutput: record.lastOutput });
}
