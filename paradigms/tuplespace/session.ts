/** What one client or engine has asked for: its waits, and the tuples that are on their way to it. All of it ends with the asker. */
import { type Party, UsageError } from '../../core/index.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { LeaseExpiredError, MOST_WAITING, SpaceError } from './errors.ts';
import type { TemplateForm, TupleForm } from './forms.ts';
import {
  ANSWER_WIDTH,
  type Batch,
  type ExchangeForm,
  Op,
  type OpenOptions,
  REQUEST_WIDTH,
  type RequestOptions,
  Status,
} from './protocol.ts';
import { Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import type { Entry } from './store/entry.ts';
import { Matcher } from './store/matcher.ts';

/** Tuples that were sent, and not acknowledged. */
interface Sent {
  readonly space: Space;
  readonly entries: readonly Entry[];
  readonly deadline?: Deadline | undefined;
}

type Waiting = NonNullable<ReturnType<Space['out']>> | ReturnType<Space['wait']>;

/** A space that is being recovered: requests wait for it, in order. */
class Opening {
  readonly queue: (() => void)[] = [];
}

export class Session {
  readonly #party: Party;
  readonly #spaces: Spaces;
  readonly #deadlines: Deadlines;
  readonly #opened = new Map<number, Space | Opening | Error>();
  readonly #waiting = new Map<number, { space: Space; waiting: Waiting }>();
  readonly #sent = new Map<number, Sent>();
  #answers: unknown[] = [];
  #ended = false;

  constructor(party: Party, spaces: Spaces, deadlines: Deadlines) {
    this.#party = party;
    this.#spaces = spaces;
    this.#deadlines = deadlines;
  }

  receive([requests, taken, returned]: Batch): void {
    for (const id of taken) this.#settle(id, true);
    for (const id of returned) this.#settle(id, false);
    for (let i = 0; i < requests.length; i += REQUEST_WIDTH)
      this.#serve(
        requests[i] as Op,
        requests[i + 1] as number,
        requests[i + 2] as number,
        requests[i + 3],
        (requests[i + 4] as RequestOptions | null) ?? NONE,
      );
  }

  /** The asker is gone. */
  end(): void {
    this.#ended = true;
    for (const { space, waiting } of this.#waiting.values()) space.cancel(waiting);
    this.#waiting.clear();
    for (const id of [...this.#sent.keys()]) this.#settle(id, false);
  }

  /** Calls back with the space, after all that was asked of it before. */
  with(handle: number, use: (space: Space) => void): void {
    const space = this.#opened.get(handle);
    if (space instanceof Space) use(space);
    else if (space instanceof Opening) space.queue.push(() => this.with(handle, use));
    else throw space ?? new UsageError(`Nobody has opened space ${handle}`);
  }

  #serve(op: Op, id: number, handle: number, what: any, options: RequestOptions): void {
    try {
      const space = this.#opened.get(handle);
      if (space instanceof Space) this.#perform(space, op, id, what, options);
      else if (op === Op.open) this.#open(id, handle, what[0], what[1]);
      else if (op === Op.list) this.#done(id, this.#spaces.list());
      else if (space instanceof Opening) space.queue.push(() => this.#serve(op, id, handle, what, options));
      else throw space ?? new UsageError(`Nobody has opened space ${handle}`);
    } catch (error) {
      this.#fail(id, error as Error);
    }
  }

  #open(id: number, handle: number, name: string, options: OpenOptions): void {
    const ready = (space: Space | Error): void => {
      const before = this.#opened.get(handle);
      this.#opened.set(handle, space);
      if (space instanceof Error) this.#fail(id, space);
      else this.#done(id);
      if (before instanceof Opening && !this.#ended) for (const go of before.queue) go();
    };
    try {
      const space = this.#spaces.open(name, options);
      if (space instanceof Space) {
        ready(space);
        return;
      }
      this.#opened.set(handle, new Opening());
      space.then(ready, ready);
    } catch (error) {
      ready(error as Error);
    }
  }

  #perform(space: Space, op: Op, id: number, what: any, options: RequestOptions): void {
    switch (op) {
      case Op.out:
        this.#out(space, id, [what], options);
        break;
      case Op.outMany:
        this.#out(space, id, what, options);
        break;
      case Op.take:
      case Op.read:
        this.#find(space, id, what, op === Op.take, true, options);
        break;
      case Op.tryTake:
      case Op.tryRead:
        this.#find(space, id, what, op === Op.tryTake, false, options);
        break;
      case Op.takeAll:
      case Op.readAll: {
        const entries = space.all(
          what === null ? undefined : matcherOf(what, options),
          op === Op.takeAll,
          options.limit,
        );
        const tuples = entries.map(({ tuple }) => tuple);
        if (op === Op.readAll) this.#done(id, tuples);
        else this.#send(space, id, entries, tuples, options);
        break;
      }
      case Op.count:
        this.#done(id, space.count(what === null ? undefined : matcherOf(what, options)));
        break;
      case Op.collect: {
        const { template, to, copies } = what as { template: TemplateForm; to: number; copies: boolean };
        const target = this.#opened.get(to);
        if (!(target instanceof Space))
          throw target instanceof Error ? target : new SpaceError('The space to collect into is not there yet');
        const moved = space.collect(matcherOf(template, options), target, copies);
        this.#durably(space.settings.durable || target.settings.durable, id, () => this.#done(id, moved));
        break;
      }
      case Op.exchange:
        this.#exchange(space, id, what, options);
        break;
      case Op.cancel:
        this.#cancel(what);
        break;
      case Op.renew:
        this.#changed(space, id, space.renew(what, options.lease ?? Number.POSITIVE_INFINITY));
        break;
      case Op.revoke:
        this.#changed(space, id, space.revoke(what));
        break;
      case Op.settle:
        this.#settleHold(space, id, what);
        break;
      case Op.info:
        this.#done(id, space.info);
        break;
      case Op.destroy:
        this.#spaces.destroy(space).then(
          () => this.#done(id),
          (error) => this.#fail(id, error),
        );
        break;
      default:
        throw new UsageError(`Nobody knows what ${op} asks for`);
    }
  }

  #out(space: Space, id: number, tuples: readonly TupleForm[], { lease, timeout, ack }: RequestOptions): void {
    if (!Array.isArray(tuples) || tuples.length === 0) throw new UsageError('out takes tuples, and there are none');
    let overdue: Deadline | undefined;
    const noticed = ack
      ? (expired: boolean): void => {
          this.#deadlines.cancel(overdue);
          if (expired)
            this.#fail(id, new LeaseExpiredError('Nobody has read or taken the tuple before its lease expired'));
          else this.#done(id, placed);
        }
      : undefined;
    let placed: unknown;
    const done = (entries: Entry[]): void => {
      this.#waiting.delete(id);
      placed = entries.length === 1 ? entries[0]!.seq : entries.map(({ seq }) => seq);
      if (ack) return;
      if (space.settings.durable)
        this.#spaces.journal.after((error) => this.#written(space, id, entries, placed, error));
      else this.#done(id, placed);
    };
    this.#wait(id, space, () =>
      space.out(tuples, { lease, timeout, noticed }, done, (error) =>
        this.#fail(
          id,
          error,
          `Space '${space.name}' is full: it holds ${space.settings.bound} tuples, and had no room within ${timeout} ms`,
        ),
      ),
    );
    if (ack && timeout !== undefined && placed !== undefined) {
      overdue = this.#deadlines.after(timeout, () =>
        this.#fail(id, 'timeout', `Nobody has read or taken the tuple within ${timeout} ms; it is still there`),
      );
    }
  }

  /** What could not be made durable is not there: unless somebody has taken it, for whom it was. */
  #written(space: Space, id: number, entries: readonly Entry[], placed: unknown, error: Error | undefined): void {
    const lost = error ? entries.filter(({ seq }) => space.revoke(seq)) : [];
    if (lost.length) this.#fail(id, error!);
    else this.#done(id, placed);
  }

  #find(
    space: Space,
    id: number,
    template: TemplateForm,
    takes: boolean,
    waits: boolean,
    options: RequestOptions,
  ): void {
    const matcher = matcherOf(template, options);
    const entry = space.find(matcher, takes);
    const got = (found: Entry): void => {
      if (takes) this.#send(space, id, [found], found.tuple, options);
      else this.#done(id, found.tuple);
    };
    if (entry) got(entry);
    else if (!waits) this.#done(id);
    else {
      const { timeout } = options;
      const late = `No tuple has matched within ${timeout} ms in space '${space.name}'`;
      if (timeout !== undefined && timeout <= 0) this.#fail(id, 'timeout', late);
      else
        this.#wait(id, space, () =>
          space.wait(
            [matcher],
            takes,
            timeout,
            (entries) => {
              this.#waiting.delete(id);
              got(entries[0]!);
            },
            (error) => this.#fail(id, error, late),
          ),
        );
    }
  }

  /** It happens as a whole, and is final at once: what was put out may be used by others when the answer arrives. */
  #exchange(space: Space, id: number, { takes, outs }: ExchangeForm, options: RequestOptions): void {
    const matchers = takes.map((template) => matcherOf(template, options));
    const got = (entries: Entry[]): void => {
      this.#waiting.delete(id);
      // First what goes, so that it makes room for what comes.
      for (const entry of entries) space.taken(entry);
      const done = (): void =>
        this.#durably(space.settings.durable, id, () =>
          this.#done(
            id,
            entries.map(({ tuple }) => tuple),
          ),
        );
      if (!outs.length) done();
      else space.out(outs, { lease: options.lease }, done, (error) => this.#fail(id, error));
    };
    const found = space.findAll(matchers);
    const { timeout } = options;
    if (found) got(found);
    else
      this.#wait(id, space, () =>
        space.wait(matchers, true, timeout, got, (error) =>
          this.#fail(id, error, `Not all of the tuples were there within ${timeout} ms in space '${space.name}'`),
        ),
      );
  }

  #cancel(id: number): void {
    const pending = this.#waiting.get(id);
    if (!pending) return; // it has been answered
    this.#waiting.delete(id);
    pending.space.cancel(pending.waiting);
    this.#answer(id, Status.failed, ['CancelledError', 'Cancelled before it happened']);
  }

  #wait(id: number, space: Space, begin: () => Waiting | undefined): void {
    if (this.#waiting.size >= MOST_WAITING) {
      this.#answer(id, Status.failed, [
        'LimitError',
        `One client may wait for ${MOST_WAITING} tuples or places at a time; await or abort some`,
      ]);
      return;
    }
    const waiting = begin();
    if (waiting) this.#waiting.set(id, { space, waiting });
  }

  #send(
    space: Space,
    id: number,
    entries: readonly Entry[],
    tuples: TupleForm | readonly TupleForm[],
    { hold }: RequestOptions,
  ): void {
    if (this.#ended) {
      for (const entry of entries) space.giveBack(entry);
      return;
    }
    const deadline =
      hold === undefined
        ? undefined
        : this.#deadlines.after(hold, () => {
            this.#sent.delete(id);
            for (const entry of entries) space.giveBack(entry);
          });
    this.#sent.set(id, { space, entries, deadline });
    this.#answer(id, Status.taken, tuples);
  }

  #settle(id: number, taken: boolean): boolean {
    const sent = this.#sent.get(id);
    if (!sent) return false;
    this.#sent.delete(id);
    this.#deadlines.cancel(sent.deadline);
    for (const entry of sent.entries) {
      if (taken) sent.space.taken(entry);
      else sent.space.giveBack(entry);
    }
    return true;
  }

  #settleHold(space: Space, id: number, { request, taken }: { request: number; taken: boolean }): void {
    if (!this.#settle(request, taken))
      throw new LeaseExpiredError(
        `The reservation is over: its time has passed, or it was completed or released before. The tuple may be with somebody else`,
      );
    this.#durably(space.settings.durable, id, () => this.#done(id));
  }

  #changed(space: Space, id: number, value: boolean): void {
    this.#durably(space.settings.durable, id, () => this.#done(id, value));
  }

  #durably(durable: boolean, id: number, done: () => void): void {
    if (durable) this.#spaces.journal.after((error) => (error ? this.#fail(id, error) : done()));
    else done();
  }

  #done(id: number, value?: unknown): void {
    this.#answer(id, Status.done, value ?? null);
  }

  #fail(id: number, error: Error | 'timeout', late = ''): void {
    this.#waiting.delete(id);
    if (error === 'timeout') this.#answer(id, Status.failed, ['TimeoutError', late]);
    else this.#answer(id, Status.failed, [error.name, error.message]);
  }

  #answer(id: number, status: number, value: unknown): void {
    if (this.#ended) return;
    // What is answered in one turn leaves together.
    if (this.#answers.push(id, status, value) === ANSWER_WIDTH) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    if (!this.#ended) this.#party.tell('answers', answers);
  }
}

const NONE: RequestOptions = {};

function matcherOf(template: TemplateForm, { exact }: RequestOptions): Matcher {
  if (typeof template !== 'object' || template === null) throw new UsageError('A template is a list or a record');
  return new Matcher(template, exact);
}
