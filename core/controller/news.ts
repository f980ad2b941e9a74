/**
 * What clients and engines are told of changes. All changes of a turn of the event loop leave as one message, encoded
 * once for all; whoever is about to tell a client something that follows from a change calls `flush` first.
 */
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import { encode } from '../wire/codec.ts';
import { Kind, pack } from '../wire/envelope.ts';
import type { ClientRecord } from './clients.ts';
import type { EngineRecord } from './registry.ts';

/** ms that engines may be told late how many they are, while nothing is asked of them: at least, for each of them, and at most. */
const SIZE_DELAY = { least: 50, each: 20, most: 5_000 };

export class News {
  #clients: ReadonlyMap<number, ClientRecord>;
  #engines: ReadonlyMap<number, EngineRecord>;
  #events: ClusterEvent[] = [];
  #eventsDue: NodeJS.Immediate | undefined;
  #sizeDue: NodeJS.Timeout | undefined;

  constructor(clients: ReadonlyMap<number, ClientRecord>, engines: ReadonlyMap<number, EngineRecord>) {
    this.#clients = clients;
    this.#engines = engines;
  }

  tell(event: ClusterEvent): void {
    this.#events.push(event);
    this.#eventsDue ??= setImmediate(() => this.flush());
    if (event.type === 'engine-lost') this.#tellLoss(event.engine);
    if (event.type === 'engine-joined' || event.type === 'engine-lost')
      this.#sizeDue ??= setTimeout(() => this.flushSize(), this.#sizeDelay());
  }

  /** Many come one after the other, and to tell all others of each would take longer than to start it. */
  #sizeDelay(): number {
    const { least, each, most } = SIZE_DELAY;
    return Math.min(Math.max(least, each * this.#engines.size), most);
  }

  /** Engines that talk to each other directly want to know who is gone. */
  #tellLoss({ id, incarnation }: EngineInfo): void {
    const message = pack({ kind: Kind.EVENT, op: 'engine-lost', engine: id, id: incarnation });
    for (const { session } of this.#engines.values()) session?.sendPacked(message);
  }

  /** Before what follows from the changes is told. */
  flush(): void {
    const events = this.#events;
    if (!events.length) return;
    this.#events = [];
    clearImmediate(this.#eventsDue);
    this.#eventsDue = undefined;
    if (!this.#clients.size) return;
    for (const run of runs(events)) {
      const header = { kind: Kind.EVENT, op: 'changed', label: paradigmOf(run[0]!) };
      const message = pack(header, [encode({ events: run }, { root: 'changed' })]);
      for (const client of this.#clients.values()) client.sendPacked(message);
    }
  }

  /** Engines know how many they are: before a call, and soon after the last of many changes. */
  flushSize(): void {
    if (!this.#sizeDue) return;
    clearTimeout(this.#sizeDue);
    this.#sizeDue = undefined;
    const there = [...this.#engines.values()].filter((record) => record.session);
    const message = pack({ kind: Kind.EVENT, op: 'size', id: there.length });
    for (const { session } of there) session?.sendPacked(message);
  }

  stop(): void {
    clearImmediate(this.#eventsDue);
    clearTimeout(this.#sizeDue);
  }
}

/** In order; those of a paradigm by themselves, since not every client can read them. */
function runs(events: readonly ClusterEvent[]): ClusterEvent[][] {
  const found: ClusterEvent[][] = [];
  for (const event of events) {
    const last = found.at(-1);
    if (last && paradigmOf(last[0]!) === paradigmOf(event)) last.push(event);
    else found.push([event]);
  }
  return found;
}

function paradigmOf(event: ClusterEvent): string {
  return event.type === 'paradigm' ? event.paradigm : '';
}
