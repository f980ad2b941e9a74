/**
 * The farm's half on an engine: takes orders in batches, runs them in their order, and reports in batches. It gives the engine
 * short slices of work, and the event loop its turn between them, so that what is done is told while more is being done.
 */
import { CancelledError, InterruptedError, LimitError, Parcel } from 'tutti';
import type { EngineHalf, EngineHost } from '../../../core/index.ts';
import { Numbered } from '../../../core/numbered.ts';
import { OrdersLetter } from '../letters.ts';
import { Ending, type Ticket } from '../messages.ts';
import { PieceReader } from '../pieces.ts';
import { Functions } from './functions.ts';
import { Item } from './item.ts';
import { Reports } from './reports.ts';
import { resources } from './resources.ts';

/** ms of work that a slice should take, unless who gives the orders has more patience; and at most. */
const SLICE = 4;
const LONGEST = 30;
/** Tasks in a slice, however short: with twice as many unreported, nobody knows which of them ran. */
const MOST = 256;

export default function engineHalf(host: EngineHost): EngineHalf {
  const functions = new Functions(host);
  const reports = new Reports(host);
  const home = { host, functions, ended, yielded };
  /** How many of those that run wait for the cluster. */
  let aside = 0;
  /** What has not begun, in order; those before `head` have. */
  let queue: Item[] = [];
  let head = 0;
  const running = new Numbered<Item>();
  /** What has begun last. */
  let latest: Item | undefined;
  /** Who gives the orders, and how many ms reports may wait. */
  let slotNumber = 0;
  let patience = SLICE;
  let within = SLICE;
  let due: NodeJS.Immediate | undefined;
  /** The event loop has had its turn since something has begun. */
  let turned = false;

  host.controller.tell('declares', resources());

  /** Once the event loop has had its turn. */
  function soon(): void {
    due ??= setImmediate(() => {
      due = undefined;
      turned = true;
      turn();
    });
  }

  /** What has come, as soon as all of it has been read; or what comes after one that was awaited. */
  function atOnce(): void {
    queueMicrotask(() => turn(true));
  }

  /** Slices, as long as one leads to the next at once: what it waits for has been made by the one before, e.g. */
  function turn(onMicrotask = false): void {
    const until = performance.now() + SLICE;
    openAhead();
    let begun = 0;
    for (let more = slice(MOST, onMicrotask); more; more = slice(MOST - begun, onMicrotask)) {
      begun += more;
      if (begun === MOST || running.size > aside || performance.now() > until) break;
    }
    const told = reports.offer(untilNext(), patience);
    // Where one is awaited, to know that the event loop has turned meanwhile.
    if (head < queue.length || running.size > aside) {
      if (begun || told) soon();
    } else if (due) {
      // For what has ended meanwhile, which has been told.
      clearImmediate(due);
      due = undefined;
    }
  }

  /** ms until the one that is awaited ends, as expected. Undefined: nobody knows, or nothing could be told before. */
  function untilNext(): number | undefined {
    if (!latest?.awaited || latest.over || latest.aside || !latest.fn.runs) return undefined;
    return Math.max(0, latest.fn.expected - latest.ran);
  }

  /** How many it has begun. */
  function slice(most: number, onMicrotask: boolean): number {
    const works: Item[] = [];
    const before = running.size - aside;
    let expected = 0;
    while (head < queue.length && works.length < most) {
      const item = queue[head]!;
      const { concurrency } = item.spec;
      // Those of a slice that run one at a time need not wait for each other here.
      if (concurrency > 1 ? running.size - aside >= concurrency : before > 0) break;
      if (item.failure) {
        head++;
        reports.add(item, item.failure.ending, 0, host.parcel(item.failure.error), 0);
        continue;
      }
      if (item.dropped) {
        head++;
        continue;
      }
      if (!item.ready) {
        // Where what it needs is made here, after what is before it.
        if (works.length || (before && item.local)) break;
        open(item);
        if (!item.canBegin) break;
        continue;
      }
      // Of what has never run here, nobody knows whether it ends: reports of others do not wait for it.
      expected += item.fn.runs ? item.fn.expected : within;
      if (works.length && expected > within) break;
      if (!item.fn.runs && !reports.empty) break;
      if (item.announce && !item.announced) {
        if (works.length) break;
        // Before it begins, since nothing may be said after that.
        item.announced = true;
        host.controller.tell('begun', { slot: slotNumber, ticket: item.ticket } satisfies Ticket);
        soon();
        break;
      }
      head++;
      works.push(item);
      latest = item;
      running.set(item.ticket, item);
    }
    if (head > 1_024 && head > queue.length >> 1) {
      queue = queue.slice(head);
      head = 0;
    }
    if (!works.length) return 0;
    turned = false;
    host.start(works, { onMicrotask, within });
    return works.length;
  }

  function open(item: Item): void {
    if (!item.opening) item.open(() => queue[head] === item && soon());
  }

  /** What comes next is fetched while something else runs. */
  function openAhead(): void {
    const end = Math.min(queue.length, head + MOST);
    for (let i = head; i < end; i++) if (!queue[i]!.ready && !queue[i]!.local) open(queue[i]!);
  }

  function ended(item: Item, ok: boolean, value: unknown): void {
    running.delete(item.ticket);
    if (item.aside) aside--;
    if (item.over) return;
    item.over = true;
    const { ending, spec, client, call } = item;
    if (ending !== undefined) reports.add(item, ending, item.ran, undefined, 0);
    else {
      const outcome = host.settle({ client, call }, ok, value, { stay: !spec.travels });
      if (ok && outcome.bytes > spec.resultLimit) {
        host.release([{ client, call }]);
        reports.add(item, Ending.LOST, item.ran, host.parcel(tooLarge(item, outcome.bytes)), 0);
      } else reports.add(item, endingOf(item, ok, value, outcome), item.ran, outcome.parcel, outcome.bytes);
    }
    if (turned && !running.size) atOnce();
    else soon();
  }

  function yielded({ ticket }: Item): void {
    aside++;
    host.controller.tell('yields', { slot: slotNumber, ticket } satisfies Ticket);
    soon();
  }

  function run(parts: readonly Uint8Array[]): void {
    const orders = OrdersLetter.read(parts, rest);
    functions.learn(orders);
    const { slot, first, clients, calls, fns, specs, attempts, announced, args } = orders;
    patience = orders.patience;
    within = Math.min(patience, LONGEST);
    reports.about((slotNumber = slot));
    const reader = new PieceReader(args, Parcel);
    for (let i = 0; i < calls.length; i++) {
      reader.next();
      const { source, from, size, parcel } = reader;
      const given = parcel ?? { source, from, size };
      const names = { client: clients[i]!, call: calls[i]!, ticket: first + i, attempt: attempts[i]! };
      queue.push(new Item(home, names, { fn: functions.fn(fns[i]!), spec: functions.spec(specs[i]!) }, given));
    }
    for (const i of announced) queue[queue.length - calls.length + i]!.announce = true;
    if (running.size === aside) atOnce();
    else if (queue[head]!.spec.concurrency > 1) soon();
    else openAhead();
  }

  function rest<T>(parts: readonly Uint8Array[]): T {
    return host.read(new Parcel({ codec: 'msgpack', parts: [...parts] })) as T;
  }

  function find(client: number, call: number): Item | undefined {
    const isIt = (item: Item): boolean => item.call === call && item.client === client && !item.dropped;
    for (const item of running.values()) if (isIt(item)) return item;
    for (let i = head; i < queue.length; i++) if (isIt(queue[i]!)) return queue[i];
    return undefined;
  }

  function stop({ client, call }: { client: number; call: number }): string {
    const item = find(client, call);
    if (!item) return 'done';
    if (running.has(item.ticket)) return 'runs';
    item.dropped = true;
    reports.add(item, Ending.STOPPED, 0, undefined, 0);
    soon();
    return 'dropped';
  }

  return {
    run,
    /** The same, where nobody asks what became of it; what runs is told by its signal. */
    cancel(order: { client: number; call: number; reason: string }) {
      if (stop(order) === 'runs') find(order.client, order.call)?.stop(Ending.STOPPED, order.reason);
    },
    stop,
    forget: (number: number) => functions.forget(number),
    release: (call: { client: number; call: number }) => host.release([call]),
    /** Others have nothing to do: gives back what has not begun, from this task on. */
    recall({ client, call }: { client: number; call: number }) {
      let from = head;
      while (from < queue.length && !(queue[from]!.call === call && queue[from]!.client === client)) from++;
      // It has begun meanwhile.
      if (from === queue.length) from = head;
      const back = queue.slice(from).filter(({ dropped }) => !dropped);
      queue.length = from;
      reports.giveBack(back.map(({ ticket }) => ticket));
      reports.flush();
    },
  };
}

function tooLarge({ fn, spec }: Item, bytes: number): LimitError {
  const max = spec.resultLimit;
  const [took, limit] = [bytes, max].map((n) => n.toLocaleString('en'));
  return new LimitError(
    `The result of ${fn.name} takes ${took} bytes; its resultLimit is ${limit}. Return less, or raise it with farm.with({ resultLimit })`,
    { limit: 'resultLimit', max },
  );
}

function endingOf(
  { spec, attempt }: Item,
  ok: boolean,
  value: unknown,
  outcome: { ok: boolean; kept: boolean },
): Ending {
  if (outcome.kept) return Ending.KEPT;
  if (outcome.ok) return Ending.OK;
  // It was stopped from outside, which is no failure of its own.
  if (!ok && (value instanceof InterruptedError || value instanceof CancelledError)) return Ending.LOST;
  // What cannot travel will not do so next time.
  return ok || !spec.retriable(value, attempt) ? Ending.FINAL : Ending.FAILED;
}
