/** What is to be told of runs that have ended: gathered, and sent together. */
import type { EngineHost, Parcel } from '../../../core/index.ts';
import type { Ending, Report } from '../messages.ts';
import { Pieces } from '../pieces.ts';
import type { Item } from './item.ts';

const NOTHING = new Uint8Array();

export class Reports {
  #host: EngineHost;
  #clients: number[] = [];
  #calls: number[] = [];
  #endings: number[] = [];
  #started: number[] = [];
  #ran: number[] = [];
  #sizes: number[] = [];
  #values = new Pieces();
  #returned: number[] | undefined;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  add(item: Item, ending: Ending, ran: number, value: Parcel | undefined, bytes: number): void {
    this.#clients.push(item.client);
    this.#calls.push(item.call);
    this.#endings.push(ending);
    this.#started.push(item.started);
    this.#ran.push(ran);
    this.#sizes.push(bytes);
    if (value) this.#values.addParcel(value);
    else this.#values.add(NOTHING);
  }

  giveBack(keys: number[]): void {
    this.#returned = [...(this.#returned ?? []), ...keys];
  }

  flush(): void {
    if (!this.#calls.length && !this.#returned) return;
    const report: Report = {
      clients: Uint32Array.from(this.#clients),
      calls: Uint32Array.from(this.#calls),
      endings: Uint8Array.from(this.#endings),
      started: Float64Array.from(this.#started),
      ran: Float64Array.from(this.#ran),
      sizes: Float64Array.from(this.#sizes),
      values: this.#values.take(),
      returned: this.#returned ?? [],
    };
    this.#clients = [];
    this.#calls = [];
    this.#endings = [];
    this.#started = [];
    this.#ran = [];
    this.#sizes = [];
    this.#returned = undefined;
    this.#host.controller.tell('done', report);
  }
}
