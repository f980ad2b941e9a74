/** One call as the client knows it: a part for each target, and what has become of each. */
import { type Assembly, assemble } from '../assembly.ts';
import type { InterruptOutcome, InterruptResult, Progress } from '../conversation.ts';
import { UNREAD_MESSAGES } from '../conversation.ts';
import {
  CancelledError,
  CompositeError,
  DependencyError,
  InterruptedError,
  InvalidTargetError,
  LimitError,
  NotOnStackError,
  RemoteError,
  ValueLostError,
} from '../errors.ts';
import { decode } from '../wire/codec.ts';
import { type ResultHeader, Status } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { More, NONE, PartRecord, type PartState, type Printed } from './call-parts.ts';
import { Told } from './told.ts';

/** What a call needs of its client. */
export interface CallHome {
  readonly clientId: number;
  /** Which cluster the client belongs to; ids mean nothing in another one. */
  readonly clusterId: string;
  incarnationOf(engine: number): number;
  fetch(call: Call, part: PartRecord): Promise<Payload>;
  release(call: Call, engines: number[]): void;
  /** How each target took it. */
  stop(call: Call, targets: number[], kind: 'interrupt' | 'cancel', reason: string): Promise<InterruptResult[]>;
  /** The value of an expression in the function that runs there. */
  peek(call: Call, engine: number, expression: string): Promise<unknown>;
  say(call: Call, engine: number, message: Payload): Promise<'taken' | 'full' | 'done'>;
  settled(call: Call): void;
}

/** Characters of output, and messages, that are kept for those who ask later. */
const OUTPUT_KEPT = 1 << 20;
const MESSAGES_KEPT = 1_024;

/** Of results whose values have stayed on engines: those that nobody holds any more let go of them. */
const forgotten = new FinalizationRegistry<Call>((call) => call.release());

interface CallOptions {
  readonly id: number;
  readonly home: CallHome;
  /** Undefined: one, and nobody knows where yet. */
  readonly targets: readonly number[] | undefined;
  readonly assembly: Assembly;
  readonly uses?: readonly Call[];
}

/** There may be very many at a time: what few of them need is in `More`. */
export class Call {
  readonly id: number;
  readonly home: CallHome;
  readonly assembly: Assembly;
  readonly submitted = Date.now();
  pending: number;
  /** Of its arguments, for flow control. */
  bytes = 0;
  /** Has it left? Until then it waits for others' arguments to get through. */
  sent = false;
  /** Somebody will see how it ends. */
  observed = false;
  /** Nobody holds its result any more. */
  abandoned = false;
  /** The result that stands for it: it lives as long as this is pending. */
  holder: object | undefined;
  /** Where there is one only, and nobody has asked for a list: that one, once something is known of it. */
  #parts: readonly PartRecord[] | PartRecord | undefined;
  #more: More | undefined;
  /** Most calls have one at most. */
  #doneListeners: (() => void) | (() => void)[] | undefined;
  /** Of the promise of its value, where somebody waits for that. */
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor({ id, home, targets, assembly, uses }: CallOptions) {
    this.id = id;
    this.home = home;
    this.assembly = assembly;
    this.pending = targets ? targets.length : 1;
    this.holder = undefined;
    this.#parts = targets?.map((engine) => new PartRecord(engine, home.incarnationOf(engine)));
    if (uses?.length) this.more.uses = uses;
  }

  get parts(): readonly PartRecord[] {
    if (!Array.isArray(this.#parts)) this.#parts = [this.first];
    return this.#parts as readonly PartRecord[];
  }
  /** The only one, of calls with a single target. */
  get first(): PartRecord {
    const parts = (this.#parts ??= new PartRecord(-1, 0));
    return parts instanceof PartRecord ? parts : parts[0]!;
  }
  get more(): More {
    return (this.#more ??= new More());
  }

  /** Calls whose values this one uses: they must not be released before it is done. */
  get uses(): readonly Call[] {
    return this.#more?.uses ?? NONE;
  }
  /** Results in its arguments of which it is not known yet where they are made. */
  get unplaced(): number {
    return this.#more?.unplaced ?? 0;
  }
  get printed(): Told<Printed> {
    return (this.more.printed ??= new Told(OUTPUT_KEPT, ({ text }) => text.length));
  }
  get messages(): Told<{ engine: number; value: unknown }> {
    return (this.more.messages ??= new Told(MESSAGES_KEPT, () => 1));
  }
  /** The newest of each engine. */
  get progress(): Map<number, Progress> {
    return (this.more.progress ??= new Map());
  }
  get progressListeners(): Set<(progress: Progress) => void> {
    return (this.more.progressListeners ??= new Set());
  }

  get taskId(): string {
    return `${this.home.clientId}.${this.id}`;
  }

  /** A part of a reply. What comes after the part was settled (a cancel, a timeout) is dropped. */
  receive(result: ResultHeader, payload: Payload | undefined): void {
    const engine = result.engine ?? 0;
    const status = result.status ?? Status.OK;
    const part = this.parts.find((p) => p.engine === engine && p.state === 'pending');
    if (part) {
      part.started = result.started ?? 0;
      part.completed = result.completed ?? 0;
      part.bytes = result.bytes ?? 0;
      this.settlePart(part, status, payload);
    }
    // Cancelled or timed out meanwhile: nobody will want what stayed there.
    else if (status === Status.KEPT) this.home.release(this, [engine]);
  }

  settlePart(part: PartRecord, status: Status, payload: Payload | undefined): void {
    if (status === Status.KEPT) {
      if (this.abandoned) this.home.release(this, [part.engine]);
      this.#settle(part, 'kept');
    } else if (status === Status.OK) {
      part.payload = payload;
      this.#settle(part, 'arrived');
    } else this.failPart(part, this.#errorOf(part.engine, status === Status.FAILED, payload));
  }

  failPart(part: PartRecord, error: Error): void {
    if (part.state !== 'pending') return;
    part.error = error;
    this.#settle(part, 'failed');
  }

  /** Settles all that is pending. The error is that of the call as a whole, not of some of its engines. */
  fail(error: Error): void {
    if (this.pending) this.more.verdict = error;
    for (const part of this.parts) this.failPart(part, error);
  }

  onPart(listener: (part: PartRecord) => void): () => void {
    const listeners = (this.more.partListeners ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** The error of the call as a whole, if it has one: cancelled, timed out, never sent. */
  get verdict(): Error | undefined {
    return this.#more?.verdict;
  }

  whenDone(listener: () => void): void {
    if (this.pending === 0) listener();
    else if (this.#doneListeners === undefined) this.#doneListeners = listener;
    else if (Array.isArray(this.#doneListeners)) this.#doneListeners.push(listener);
    else this.#doneListeners = [this.#doneListeners, listener];
  }

  /** Is the part's value in this process? Then it can be had at once. */
  isHere(part: PartRecord): boolean {
    return part.state === 'arrived' || part.decoded !== undefined;
  }

  /** The value of a part that is here. Throws when its bytes make no sense. */
  valueHere(part: PartRecord): unknown {
    const { payload } = part;
    part.decoded ??= { value: payload && decode(payload) };
    part.payload = undefined;
    return part.decoded.value;
  }

  /** The part's value; fetched from its engine at the first use when it stayed there. */
  async valueOf(part: PartRecord): Promise<unknown> {
    if (part.error) throw part.error;
    if (this.isHere(part)) return this.valueHere(part);
    part.fetching ??= this.home.fetch(this, part).then((payload) => {
      part.payload = payload;
      return this.valueHere(part);
    });
    return part.fetching;
  }

  /** The whole value, or the error, when all parts are settled. */
  value(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.pending) this.#deliver(resolve, reject);
      else if (this.#resolve) this.whenDone(() => this.#deliver(resolve, reject));
      else {
        // Without a listener: there may be very many.
        this.#resolve = resolve;
        this.#reject = reject;
      }
    });
  }

  /** At once, where it can be. */
  #deliver(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    const part = this.first;
    if (this.assembly !== 'single' || !part) resolve(this.#value());
    else if (part.error) reject(this.verdict ?? part.error);
    else if (!this.isHere(part)) resolve(this.valueOf(part));
    else {
      let value: unknown;
      try {
        value = this.valueHere(part);
      } catch (error) {
        reject(error);
        return;
      }
      resolve(value);
    }
  }

  async #value(): Promise<unknown> {
    if (this.verdict) throw this.verdict;
    const settled = await Promise.allSettled(this.parts.map((part) => this.valueOf(part)));
    const errors = settled.flatMap((s) => (s.status === 'rejected' ? [s.reason as Error] : []));
    if (errors.length) throw this.parts.length === 1 ? errors[0]! : new CompositeError(errors, this.parts.length);
    return assemble(
      this.assembly,
      settled.map((s) => (s as PromiseFulfilledResult<unknown>).value),
    );
  }

  async cancel(error: Error = new CancelledError('Cancelled')): Promise<InterruptOutcome[]> {
    const stopped = this.#stop('cancel', error.message);
    this.fail(error);
    return stopped;
  }

  /** Its parts settle when they have stopped. */
  interrupt(reason = 'Interrupted'): Promise<InterruptOutcome[]> {
    if (this.sent || !this.pending) return this.#stop('interrupt', reason);
    // It waits here, and will not leave.
    this.fail(new InterruptedError(reason));
    return Promise.resolve(this.parts.map(({ engine }) => ({ engine, outcome: 'never-started' as const })));
  }

  async #stop(kind: 'interrupt' | 'cancel', reason: string): Promise<InterruptOutcome[]> {
    const pending = this.parts.filter((part) => part.state === 'pending');
    const targets = pending.map(({ engine }) => engine);
    const results = this.sent && pending.length ? await this.home.stop(this, targets, kind, reason) : [];
    // By part: the engine of one may have become known only now.
    const outcomes = new Map(results.map((outcome, i) => [pending[i]!, outcome]));
    const rest = this.sent ? 'done' : 'never-started';
    return this.parts.map((part) => ({ engine: part.engine, outcome: outcomes.get(part) ?? rest }));
  }

  /** Of those engines that have not finished it; in the order of the targets. */
  async peek(expression: string): Promise<unknown[]> {
    return Promise.all(this.#stillRunning().map((engine) => this.home.peek(this, engine, expression)));
  }

  async say(message: Payload, engine?: number): Promise<void> {
    const there = this.#stillRunning(engine);
    const answers = await Promise.all(there.map((id) => this.home.say(this, id, message)));
    const full = there[answers.indexOf('full')];
    if (full !== undefined)
      throw new LimitError(
        `The message was not delivered: the task on engine ${full} has thousands that it has not read (task.poll(), task.inbox)`,
        { limit: 'messages', max: UNREAD_MESSAGES },
      );
    if (!answers.includes('taken')) throw new NotOnStackError('The message was not delivered: the task has ended');
  }

  #waiting(): number[] {
    return this.parts.filter((part) => part.state === 'pending').map((part) => part.engine);
  }

  #stillRunning(only?: number): number[] {
    if (only !== undefined && !this.parts.some((part) => part.engine === only))
      throw new InvalidTargetError(
        `Engine ${only} is none of this task's: ${this.parts.map((part) => part.engine).join(', ')}`,
      );
    const there = this.#waiting().filter((engine) => only === undefined || engine === only);
    if (there.length) return there;
    throw new NotOnStackError(`The task has ended${only === undefined ? '' : ` on engine ${only}`}`);
  }

  /** Lets go of values that stayed on engines. */
  release(): void {
    this.abandoned = true;
    const kept = this.parts.filter((p) => p.state === 'kept' && !p.fetching);
    for (const part of kept) part.error = new ValueLostError('The result was released');
    if (kept.length)
      this.home.release(
        this,
        kept.map((p) => p.engine),
      );
  }

  /** False: nobody listens. */
  print(printed: Printed): boolean {
    this.printed.push(printed);
    return this.printed.heard;
  }

  progressed(progress: Progress): void {
    this.progress.set(progress.engine, progress);
    for (const listener of this.progressListeners) listener(progress);
  }

  /** It has begun there a while ago. */
  runs(engine: number, since: number): void {
    const part = this.parts.find((p) => p.state === 'pending' && (p.engine === engine || p.engine < 0));
    if (!part) return;
    part.running = true;
    part.started = since;
  }

  #settle(part: PartRecord, state: PartState): void {
    part.state = state;
    this.pending--;
    if (state === 'kept' && this.holder && !this.more.watched) {
      this.more.watched = true;
      forgotten.register(this.holder, this);
    }
    const partListeners = this.#more?.partListeners;
    if (partListeners) for (const listener of partListeners) listener(part);
    if (this.pending > 0) return;
    if (partListeners) this.more.partListeners = undefined;
    const listeners = this.#doneListeners;
    const resolve = this.#resolve;
    const reject = this.#reject;
    this.#doneListeners = this.#resolve = this.#reject = this.holder = undefined;
    if (resolve && reject) this.#deliver(resolve, reject);
    if (Array.isArray(listeners)) for (const listener of listeners) listener();
    else listeners?.();
    this.home.settled(this);
    this.#reportUnobserved();
  }

  #errorOf(engine: number, thrown: boolean, payload: Payload | undefined): Error {
    let error: unknown;
    try {
      error = payload && decode(payload);
    } catch (undecodable) {
      error = undecodable;
    }
    if (!thrown && error instanceof Error) return error;
    return new RemoteError({ engine, task: this.taskId, error });
  }

  /** A failure that nobody looks at is reported as Node reports a rejected promise that nobody handles. */
  #reportUnobserved(): void {
    if (this.observed || !this.parts.some((p) => p.error && !isCancelled(p.error))) return;
    setImmediate(() => {
      if (!this.observed) void this.value();
    });
  }
}

/** Its owner wanted it so, for this call or for one that it builds on. */
function isCancelled(error: unknown): boolean {
  return (
    error instanceof CancelledError ||
    error instanceof InterruptedError ||
    (error instanceof DependencyError && isCancelled(error.cause))
  );
}
