/**
 * Which message goes to which receive. Nothing else: no memory, no links, no time. The rules of the standard: a message and a
 * receive match when their context and tag are the same and the receive names the message's source, or where it takes any;
 * a receive takes the message that came first of those that match, a message goes to the receive that was posted first.
 * So messages of one sender cannot overtake each other, as long as they are announced here in the order in which they were sent.
 */
import { ANY_SOURCE, ANY_TAG } from './constants.ts';

export interface Wanted {
  readonly context: number;
  /** A rank of the context's communicator, or ANY_SOURCE. */
  readonly source: number;
  readonly tag: number;
}

export interface Announced {
  readonly context: number;
  readonly source: number;
  readonly tag: number;
}

interface Line<W, A> {
  posted: W[];
  unexpected: A[];
}

export class Matching<W extends Wanted, A extends Announced> {
  #lines = new Map<number, Line<W, A>>();

  /** Takes the first message that matches, or keeps the receive until one comes. */
  post(receive: W): A | undefined {
    const line = this.#line(receive.context);
    const found = take(line.unexpected, (message) => matches(receive, message));
    if (!found) line.posted.push(receive);
    return found;
  }

  /** The receive that takes it; or undefined, and it is kept until one comes. */
  arrive(message: A): W | undefined {
    const line = this.#line(message.context);
    const found = take(line.posted, (receive) => matches(receive, message));
    if (!found) line.unexpected.push(message);
    return found;
  }

  /** The message that a receive of this kind would take now. */
  probe(wanted: Wanted): A | undefined {
    return this.#lines.get(wanted.context)?.unexpected.find((message) => matches(wanted, message));
  }

  /** Takes it out: no receive will find it any more. */
  extract(wanted: Wanted): A | undefined {
    const line = this.#lines.get(wanted.context);
    return line && take(line.unexpected, (message) => matches(wanted, message));
  }

  /** False: it has been matched, or was never posted. */
  cancel(receive: W): boolean {
    return take(this.#line(receive.context).posted, (posted) => posted === receive) !== undefined;
  }

  /** No receive waits in this context, and no message. */
  quiet(context: number): boolean {
    const line = this.#lines.get(context);
    return line === undefined || (line.posted.length === 0 && line.unexpected.length === 0);
  }

  /** Receives that wait, of all contexts or of one. */
  posted(context?: number): W[] {
    if (context !== undefined) return [...(this.#lines.get(context)?.posted ?? [])];
    return [...this.#lines.values()].flatMap(({ posted }) => posted);
  }

  /** Forgets a context; gives what nobody has received in it. */
  drop(context: number): A[] {
    const line = this.#lines.get(context);
    this.#lines.delete(context);
    return line?.unexpected ?? [];
  }

  get contexts(): number {
    return this.#lines.size;
  }

  #line(context: number): Line<W, A> {
    let line = this.#lines.get(context);
    if (!line) this.#lines.set(context, (line = { posted: [], unexpected: [] }));
    return line;
  }
}

function matches(wanted: Wanted, message: Announced): boolean {
  return (
    (wanted.tag === message.tag || wanted.tag === ANY_TAG) &&
    (wanted.source === message.source || wanted.source === ANY_SOURCE)
  );
}

/** The first that fits is nearly always the first one. */
function take<T>(list: T[], fits: (item: T) => boolean): T | undefined {
  for (let i = 0; i < list.length; i++) {
    const item = list[i]!;
    if (!fits(item)) continue;
    if (i === 0) list.shift();
    else list.splice(i, 1);
    return item;
  }
  return undefined;
}
