/** The console without its terminal: takes statements and commands one at a time, and shows what comes of them. */
import { AsyncResult } from '../../core/client/async-result.ts';
import type { View } from '../../core/client/view-types.ts';
import { CancelledError, UsageError } from '../../core/errors.ts';
import { failureText } from '../display/failure.ts';
import { display } from '../display/value.ts';
import { suggestion } from '../suggestion.ts';
import { COMMANDS, findCommand, TYPED } from './commands.ts';
import type { Connection, ConsoleClient } from './connection.ts';
import { shownValues } from './engines.ts';
import { type CodeEntry, entryOf, isUnfinished } from './entry.ts';
import { Interruption } from './interruption.ts';
import { createLocal, type Local } from './local.ts';
import { preloaded } from './preloaded.ts';
import { Recording } from './recording.ts';
import type { Screen } from './screen.ts';
import type { Started } from './started.ts';

export class Console {
  readonly screen: Screen;
  readonly connection: Connection;
  readonly local: Local;
  readonly started: Started;
  readonly recording = new Recording();
  readonly interruption: Interruption;
  /** Sends plain lines to the engines, too. */
  autopx = false;
  /** Undefined: every engine that there is. */
  targets: number[] | undefined;
  /** What the last statement gave, as `_`. */
  #last: unknown;
  #queue: Promise<unknown> = Promise.resolve();
  #busy = 0;
  /** The last failure, if there was one. */
  failure: unknown;
  /** `.exit` was given. */
  left = false;

  constructor(connection: Connection, screen: Screen, started: Started) {
    this.connection = connection;
    this.screen = screen;
    this.started = started;
    this.interruption = new Interruption(started, (text) => screen.tell(text));
    this.local = createLocal(preloaded(this));
  }

  get client(): ConsoleClient {
    return this.connection.client;
  }

  get view(): View {
    return this.targets ? this.client.view(this.targets) : this.client.all;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  isUnfinished(text: string): boolean {
    return isUnfinished(text, this.autopx);
  }

  isCommand(line: string): boolean {
    const entry = entryOf(line, this.autopx);
    return entry.kind === 'command' && findCommand(entry.name) !== undefined;
  }

  /** One after the other. Resolves when it is over, with whether it went well; what there is to say has been shown then. */
  enter(text: string): Promise<boolean> {
    this.#busy++;
    const done = this.#queue.then(() => this.#enter(text)).finally(() => this.#busy--);
    this.#queue = done;
    return done;
  }

  /** Runs code here, or on the engines, and shows its value. */
  async run(entry: CodeEntry): Promise<void> {
    const { kind, code } = entry;
    const { value } = kind === 'here' ? await this.#runHere(code) : await this.#runOnEngines(entry);
    // A pending result is no value to print.
    const recorded = { kind, code, shown: value !== undefined && !(value instanceof AsyncResult), ended: true };
    this.recording.add(recorded);
    if (kind === 'engines' && value instanceof AsyncResult) {
      recorded.ended = false;
      value.then(
        () => (recorded.ended = true),
        () => {},
      );
    }
    if (value !== undefined) this.#last = value;
  }

  /** What the last statement gave. */
  get last(): unknown {
    return this.#last;
  }

  /** Waits, until Ctrl-C says not to wait any longer. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.interruption.guard(promise);
  }

  /** Waits for what the console asks of the cluster. Ctrl-C ends the waiting, and leaves alone what runs. */
  ask<T>(promise: Promise<T>): Promise<T> {
    return this.interruption.guard(promise, true);
  }

  /** The values of every target, grouped; gives them. */
  showValues(result: AsyncResult<any>): Promise<unknown[]> {
    return shownValues(result, this.screen, (promise) => this.wait(promise));
  }

  tellFailure(error: unknown): void {
    this.failure = error;
    this.screen.tell(error instanceof CancelledError ? `${error.message}` : failureText(error, this.screen.look));
  }

  showValue(value: unknown): void {
    if (value !== undefined) this.screen.show(display(value, this.screen.look));
  }

  /** One statement or command, now. Rejects with what it throws. */
  async step(text: string): Promise<void> {
    const entry = entryOf(text, this.autopx);
    if (entry.kind === 'here' || entry.kind === 'engines') await this.run(entry);
    if (entry.kind !== 'command') return;
    const command = findCommand(entry.name);
    if (!command) throw new UsageError(this.#noCommand(entry.name));
    await command.run(this, entry.rest);
  }

  #noCommand(name: string): string {
    const commands = [...COMMANDS, ...(this.screen.terminal ? TYPED : [])];
    const meant = suggestion(
      name,
      commands.map((command) => command.name),
    );
    const say = `There is no command .${name}`;
    if (meant !== undefined) return `${say}; did you mean .${meant}?`;
    return `${say}; see .help. Code that goes on has its dot at the end of the line before`;
  }

  async #enter(text: string): Promise<boolean> {
    try {
      await this.step(text);
      return true;
    } catch (error) {
      this.tellFailure(error);
      return false;
    }
  }

  /** In an object, since a value that is a pending result would be waited for. */
  async #runHere(code: string): Promise<{ value: unknown }> {
    const evaluated = this.local.run(code);
    const value = 'promise' in evaluated ? await this.wait(evaluated.promise) : evaluated.value;
    this.showValue(value);
    return { value };
  }

  async #runOnEngines({ code, later }: CodeEntry & { kind: 'engines' }): Promise<{ value: unknown }> {
    const result = this.view.execute(code);
    if (later && result.status !== 'failed') {
      this.showValue(result);
      shownValues(result, this.screen, (promise) => promise).catch((error) => {
        if (!this.connection.isClosing) this.tellFailure(error);
      });
      return { value: result };
    }
    const values = await this.showValues(result);
    return { value: values.every((value) => value === undefined) ? undefined : values };
  }
}
