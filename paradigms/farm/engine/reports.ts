/** What is to be told of runs that have ended: gathered, and sent together. */
import type { EngineHost, Parcel } from '../../../core/index.ts';
import { ReportLetter } from '../letters.ts';
import { Ending } from '../messages.ts';
import type { Item } from './item.ts';

const NOTHING = new Uint8Array();

export class Reports {
  #host: EngineHost;
  #slot = 0;
  #letter = new ReportLetter();
  /** Of tasks that it was asked for: it answers even if there are none. */
  #gaveBack = false;
  /** performance.now() of the first that it holds. */
  #since = 0;
  #due: NodeJS.Timeout | undefined;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  add(item: Item, ending: Ending, ran: number, value: Parcel | undefined, bytes: number): void {
    const { tickets, endings, started, ran: times, sizes, values } = this.#letter;
    // Whatever else it is, somebody may have to do something about it.
    if (ending !== Ending.OK && ending !== Ending.KEPT) this.#since = Number.NEGATIVE_INFINITY;
    else if (!tickets.length) this.#since = performance.now();
    tickets.push(item.ticket);
    endings.push(ending);
    started.push(item.started);
    times.push(ran);
    sizes.push(bytes);
    if (item.said) this.#letter.tells(item.said);
    if (value) values.addParcel(value);
    else values.add(NOTHING);
  }

  giveBack(tickets: readonly number[]): void {
    this.#gaveBack = true;
    for (const ticket of tickets) this.#letter.returned.push(ticket);
  }

  /** Who gave the orders. */
  about(slot: number): void {
    this.#slot = slot;
  }

  get empty(): boolean {
    return !this.#letter.tickets.length;
  }

  /** Sends all of it, or waits for what ends within `next` ms, if none of it has to wait for longer than `patience`. Is it gone? */
  offer(next: number | undefined, patience: number): boolean {
    if (this.empty) return false;
    const left = this.#since + patience - performance.now();
    if (next !== undefined && next <= left) {
      this.#due ??= setTimeout(() => this.flush(), left);
      return false;
    }
    this.flush();
    return true;
  }

  flush(): void {
    if (this.#due) clearTimeout(this.#due);
    this.#due = undefined;
    if (!this.#letter.tickets.length && !this.#gaveBack) return;
    this.#gaveBack = false;
    const parcels = this.#letter.values.takeParcels();
    const more = parcels.length ? this.#host.parcel({ parcels }) : undefined;
    this.#host.controller.tellBytes('done', ...this.#letter.parts(this.#slot, more));
  }
}
