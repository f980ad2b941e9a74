/**
 * Which message goes to which receive. Nothing else: no memory, no links, no time. The rules of the standard: a message and a
 * receive match when their context and tag are the same and the receive names the message's source, or where it takes any;
 * a receive takes the message that came first of those that match, a message goes to the receive that was posted first.
 * So messages of one sender cannot overtake each other, as long as they are announced here in the order in which they were sent.
 * Who takes from anybody takes from those who have sent in turn: one that sends much does not keep the others waiting.
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
  /** Of each source in the order in which they came; that whose turn it is comes first, and none that has no message. */
  unexpected: Map<number, A[]>;
}

export class Matching<W extends Wanted, A extends Announced> {
  #lines = new Map<number, Line<W, A>>();

  /** Takes a message that matches, or keeps the receive until one comes. */
  post(receive: W): A | undefined {
    const line = this.#line(receive.context);
    const found = extract(line, receive);
    if (!found) line.posted.push(receive);
    return found;
  }

  /** The receive that takes it; or undefined, and it is kept until one comes. */
  arrive(message: A): W | undefined {
    const line = this.#line(message.context);
    const found = take(line.posted, (receive) => matches(receive, message));
    if (found) return found;
    const before = line.unexpected.get(message.source);
    if (before) before.push(message);
    else line.unexpected.set(message.source, [message]);
    return undefined;
  }

  /** The message that a receive of this kind would take now. */
  probe(wanted: Wanted): A | undefined {
    const line = this.#lines.get(wanted.context);
    const source = line && sourceFor(line, wanted);
    return source === undefined ? undefined : line!.unexpected.get(source)!.find(({ tag }) => fits(wanted, tag));
  }

  /** Takes it out: no receive will find it any more. */
  extract(wanted: Wanted): A | undefined {
    const line = this.#lines.get(wanted.context);
    return line && extract(line, wanted);
  }

  /** False: it has been matched, or was never posted. */
  cancel(receive: W): boolean {
    return take(this.#line(receive.context).posted, (posted) => posted === receive) !== undefined;
  }

  /** No receive waits in this context, and no message. */
  quiet(context: number): boolean {
    const line = this.#lines.get(context);
    return line === undefined || (line.posted.length === 0 && line.unexpected.size === 0);
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
    return line ? [...line.unexpected.values()].flat() : [];
  }

  get contexts(): number {
    return this.#lines.size;
  }

  #line(context: number): Line<W, A> {
    let line = this.#lines.get(context);
    if (!line) this.#lines.set(context, (line = { posted: [], unexpected: new Map() }));
    return line;
  }
}

function matches(wanted: Wanted, message: Announced): boolean {
  return fits(wanted, message.tag) && (wanted.source === message.source || wanted.source === ANY_SOURCE);
}

const fits = (wanted: Wanted, tag: number): boolean => wanted.tag === tag || wanted.tag === ANY_TAG;

/** Whose message it would take. */
function sourceFor<A extends Announced>({ unexpected }: Line<unknown, A>, wanted: Wanted): number | undefined {
  if (wanted.source !== ANY_SOURCE) {
    const messages = unexpected.get(wanted.source);
    return messages?.some(({ tag }) => fits(wanted, tag)) ? wanted.source : undefined;
  }
  for (const [source, messages] of unexpected) if (messages.some(({ tag }) => fits(wanted, tag))) return source;
  return undefined;
}

function extract<A extends Announced>(line: Line<unknown, A>, wanted: Wanted): A | undefined {
  const { unexpected } = line;
  const source = unexpected.size ? sourceFor(line, wanted) : undefined;
  if (source === undefined) return undefined;
  const messages = unexpected.get(source)!;
  const found = take(messages, ({ tag }) => fits(wanted, tag));
  if (!messages.length) unexpected.delete(source);
  else if (wanted.source === ANY_SOURCE) {
    unexpected.delete(source);
    unexpected.set(source, messages);
  }
  return found;
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
