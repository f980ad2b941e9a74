/** Messages for tasks. They come another way than calls do, and may be here before the call that they are for. */
import { callKey } from '../call-key.ts';
import type { ToEngine } from '../supervisor/messages.ts';
import type { Payload } from '../wire/forms.ts';
import type { Job } from './job.ts';

export type Letter = Extract<ToEngine, { type: 'message' }>;

export interface MailHome {
  find(key: number): Job | undefined;
  /** The last call of this client that has come here; they come in order. What a paradigm runs is not among them. */
  arrived(client: number): number;
  /** It was here, and has ended not long ago. */
  ended(key: number): boolean;
  decode(payload: Payload): unknown;
  /** So many need not be kept any longer. */
  read(count: number): void;
  unreadable(error: unknown): void;
}

export class Mail {
  #home: MailHome;
  #early = new Map<number, Letter[]>();

  constructor(home: MailHome) {
    this.#home = home;
  }

  receive(letter: Letter): void {
    const { client, call } = letter;
    const key = callKey(client, call);
    const job = this.#home.find(key);
    if (job) this.#hand(job, letter);
    else if (call > this.#home.arrived(client) && !this.#home.ended(key))
      this.#early.set(key, [...(this.#early.get(key) ?? []), letter]);
    else this.#home.read(1); // its task has ended
  }

  /** The call has arrived, or what a paradigm runs under its name. */
  arrived(job: Job): void {
    if (!this.#early.size) return;
    const letters = this.#early.get(job.key);
    if (!letters) return;
    this.#early.delete(job.key);
    for (const letter of letters) this.#hand(job, letter);
  }

  /** Calls that are still on their way to here will not come: of one client, or of all. */
  drop(client?: number): void {
    for (const [key, letters] of this.#early) {
      if (client !== undefined && letters[0]!.client !== client) continue;
      this.#early.delete(key);
      this.#home.read(letters.length);
    }
  }

  #hand(job: Job, { codec, parts }: Letter): void {
    try {
      job.inbox.push(this.#home.decode({ codec, parts }));
    } catch (error) {
      this.#home.read(1);
      this.#home.unreadable(error);
    }
  }
}
