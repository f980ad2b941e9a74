/** One call on one engine, from its arrival to its reply. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '../client/client.ts';
import { type AnswerCodec, answerCodec } from '../wire/answer.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { Inbox } from './inbox.ts';

/** What user code sees as `task`. */
export interface Task {
  /** `client.call`, the same as the AsyncResult's id. */
  readonly id: string;
  /** 1 at the first run. */
  readonly attempt: number;
  /** Aborted when the call is cancelled or its client has left. */
  readonly signal: AbortSignal;
  /** How far it is: reaches `progress$`, also out of a loop. Only the newest is told. */
  progress(done: number, total?: number): void;
  /** Tells the client something: reaches `messages$`, also out of a loop. Throws CannotTravelError. */
  send(message: unknown): void;
  /** What the client sends by `AsyncResult.send`, as it comes, until the task ends. */
  readonly inbox: AsyncIterable<unknown>;
  /**
   * A client of the cluster that this engine is of: the task can use views and paradigms itself. From then on it gives up its turn
   * whenever it waits, so that what it waits for can run here, too.
   */
  client(): Promise<Client>;
  /** The next message if there is one, at once: for loops, where nothing can be awaited. An empty poll takes some 10 ns. */
  poll(): { value: unknown } | undefined;
}

/** How running tasks talk. */
export interface Talk {
  progress(job: Job, done: number, total: number | undefined): void;
  send(job: Job, message: unknown): void;
  /** Takes in what has been sent to tasks, in the middle of a loop. */
  poll(): void;
  client(job: Job): Promise<Client>;
  /** So many messages of a task need not be kept any longer. */
  read(count: number): void;
}

export interface OwnWork {
  code(): unknown;
  done(ok: boolean, value: unknown): void;
  readonly attempt?: number;
  /** Once it waits for something, others run beside it. */
  readonly beside?: boolean;
  /** It goes on when its client leaves. */
  readonly detached?: boolean;
  /** It has given up its turn. */
  yielded?(): void;
  /** Before `done`, of what has told something: `Job.told`. */
  told?(end: number): void;
}

/** How what runs has behaved lately, as long as it is the same function. */
export interface Habit {
  /** Its synchronous part was over at once. */
  brief: boolean;
}

const NOTHING: never[] = [];

export class Job {
  readonly key: number;
  readonly client: number;
  readonly call: number;
  readonly op: string;
  readonly needs: Envelope['needs'];
  readonly code: readonly string[];
  /** As they came; emptied once decoded, so that arguments do not outlive their use. */
  payloads: Payload[];
  /** Of its reply. */
  readonly codec: AnswerCodec;
  /** Values of `needs`, once fetched. */
  fetched: Payload[];
  /** What must arrive before it can start. */
  missing = 0;
  /** Set when it cannot start, or was cancelled before it did. */
  failure: unknown;
  state: 'waiting' | 'running' | 'done' = 'waiting';
  started = 0;
  /** Work of a paradigm's half here: instead of a call's operation, and instead of a reply. */
  readonly own: OwnWork | undefined;
  /** Of its function; absent: nothing is known of it. */
  habit: Habit | undefined;
  /** What it has last said of how far it is. */
  progress: { done: number; total: number | undefined } | undefined;
  /** Where the last that it has printed or sent ends in the ring: that goes another way, and its reply waits for it on the controller. */
  told = 0;
  /** While it waits for something, others may run. */
  beside: boolean;
  /** It has given up its turn. */
  yielded = false;
  #talk: Talk;
  #inbox: Inbox | undefined;
  #doom: Error | undefined;
  #abort: AbortController | undefined;
  #reason: unknown;

  constructor(
    head: { key: number; client: number; call: number; op: string; needs: Envelope['needs']; code: readonly string[] },
    payloads: Payload[],
    talk: Talk,
    own?: OwnWork,
  ) {
    this.#talk = talk;
    this.key = head.key;
    this.client = head.client;
    this.call = head.call;
    this.op = head.op;
    this.needs = head.needs;
    this.code = head.code;
    this.payloads = payloads;
    this.fetched = head.needs.length ? [] : NOTHING;
    this.codec = answerCodec(payloads);
    this.own = own;
    this.beside = own?.beside ?? false;
  }

  /** Made only when somebody looks at it: most jobs never need one. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** Has anybody ever looked at its signal? */
  get watched(): boolean {
    return this.#abort !== undefined;
  }

  /** Whoever listens finds himself in his task, wherever the order came from. */
  abort(reason: unknown): void {
    this.#reason ??= reason;
    const abort = this.#abort;
    if (abort) currentJob.run(this, () => abort.abort(reason));
  }

  /** It is to end, by itself or not. If it has not started, it never will; changes nothing but marks. */
  doom(error: Error): void {
    this.#doom = error;
    if (this.state === 'waiting') this.failure = error;
    else this.abort(error);
  }

  /** What it was told to end with: also when it says so itself. */
  get doomed(): Error | undefined {
    return this.#doom;
  }

  get inbox(): Inbox {
    return (this.#inbox ??= new Inbox((count) => this.#talk.read(count)));
  }

  /** Messages that nobody reads any more. */
  end(): void {
    this.#inbox?.end();
  }

  #task: Task | undefined;
  get task(): Task {
    return (this.#task ??= taskOf(this, this.#talk));
  }
}

function taskOf(job: Job, talk: Talk): Task {
  return {
    get id() {
      return `${job.client}.${job.call}`;
    },
    get attempt() {
      return job.own?.attempt ?? 1;
    },
    get signal() {
      return job.signal;
    },
    progress: (done, total) => talk.progress(job, done, total),
    send: (message) => talk.send(job, message),
    get inbox() {
      return job.inbox.messages;
    },
    client: () => talk.client(job),
    poll() {
      talk.poll();
      return job.inbox.shift();
    },
  };
}

/** Which job runs here, also after an await. */
export const currentJob = new AsyncLocalStorage<Job>();
