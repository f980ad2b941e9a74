/** One call on one engine, from its arrival to its reply. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type AnswerCodec, answerCodec } from '../wire/answer.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

/** What user code sees as `task`. */
export interface Task {
  /** `client.call`, the same as the AsyncResult's id. */
  readonly id: string;
  /** 1 at the first run. */
  readonly attempt: number;
  /** Aborted when the call is cancelled or its client has left. */
  readonly signal: AbortSignal;
}

export interface OwnWork {
  code(): unknown;
  done(ok: boolean, value: unknown): void;
  readonly attempt?: number;
  /** Once it waits for something, others run beside it. */
  readonly beside?: boolean;
  /** It goes on when its client leaves. */
  readonly detached?: boolean;
}

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
  fetched: Payload[] = [];
  /** What must arrive before it can start. */
  missing = 0;
  /** Set when it cannot start, or was cancelled before it did. */
  failure: unknown;
  state: 'waiting' | 'running' | 'done' = 'waiting';
  started = 0;
  /** Work of a paradigm's half here: instead of a call's operation, and instead of a reply. */
  readonly own: OwnWork | undefined;
  #abort: AbortController | undefined;
  #reason: unknown;

  constructor(
    head: { key: number; client: number; call: number; op: string; needs: Envelope['needs']; code: readonly string[] },
    payloads: Payload[],
    own?: OwnWork,
  ) {
    this.key = head.key;
    this.client = head.client;
    this.call = head.call;
    this.op = head.op;
    this.needs = head.needs;
    this.code = head.code;
    this.payloads = payloads;
    this.codec = answerCodec(payloads);
    this.own = own;
  }

  /** Made only when somebody looks at it: most jobs never need one. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  abort(reason: unknown): void {
    this.#reason ??= reason;
    this.#abort?.abort(reason);
  }

  readonly task: Task = taskOf(this);
}

function taskOf(job: Job): Task {
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
  };
}

/** Which job runs here, also after an await. */
export const currentJob = new AsyncLocalStorage<Job>();
