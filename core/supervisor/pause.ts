/**
 * How a thread is stopped in whatever it is doing, and looked into. Each rung costs more than the one before:
 *
 * - landed: the loop is inside the door (`core/engine/door.ts`). It is terminated up to there; nothing else is lost.
 * - restarted: it is inside a callback of `setImmediate`. It is terminated down to the event loop, and Node's queue of such
 *   callbacks is restarted behind it (`immediates.ts`).
 * - unwound: it runs past an await. All is terminated down to the event loop; what else was about to run in the same
 *   turn is lost with it, so the engine repairs what it can and gives up the other calls in flight.
 *
 * What is done by other means (before it started, by its signal, by ending the engine) is not here. All that hangs on
 * Node's and V8's internals is here, in `pauses.ts`, in `stack.ts`, in `immediates.ts`, in `optimiser.ts`, in `door.ts`, and in `repair.ts`,
 * which checks them when the engine starts.
 */
import type { Payload } from '../wire/forms.ts';
import type { Debuggee } from './debuggee.ts';
import { QUEUE_GOES_ON, type Where } from './immediates.ts';
import { dropOptimisation, isTermination } from './optimiser.ts';
import { type Frame, hasLanding, immediatesIn, isDelicate } from './stack.ts';

export type Rung = 'landed' | 'restarted' | 'unwound';

export type Read = { value: unknown } | { error: { className: string; message: string } };

/** ms. A loop without a step position (`while (true);`) does not step. */
const STEP = 200;
/** ms for code that we run while the thread is paused: listeners of its signals may be among it, and they may loop. */
const EVALUATE = 2_000;

const GROUP = 'tutti-peek';
/** Where the engine has its end of all this. */
export const DOOR = `globalThis['tutti.door']`;

/** What was read, if the inspector has told all of it. */
export function toldBy(read: unknown): Payload | undefined {
  const { objectId, value } = read as { objectId?: string; value?: unknown };
  // Neither undefined nor what JSON has no words for; that has no `value` here.
  if (objectId !== undefined || value === undefined) return undefined;
  return { codec: 'json', parts: [Buffer.from(JSON.stringify(value))] };
}

/** The thread stands still. */
export class Pause {
  frames: readonly Frame[];
  /** It has been let go on already, to be terminated. */
  gone = false;
  /** Whether what was handed over has arrived. */
  handed: Promise<void> | undefined;
  #debuggee: Debuggee;
  #next: (ms: number, act: () => Promise<unknown>) => Promise<Frame[] | undefined>;

  constructor(
    debuggee: Debuggee,
    frames: readonly Frame[],
    next: (ms: number, act: () => Promise<unknown>) => Promise<Frame[] | undefined>,
  ) {
    this.#debuggee = debuggee;
    this.frames = frames;
    this.#next = next;
  }

  /**
   * Whether a termination was under way: it has struck here, or before (`struck`), and is sent on to whom it is meant for.
   */
  async passOn(struck: boolean): Promise<boolean> {
    if (!struck && !(await this.#strikes())) return false;
    await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
    return true;
  }

  async #strikes(): Promise<boolean> {
    try {
      // Calls something, since only at calls and loops does a termination strike; and without a limit of time, which would end it.
      await this.#ask(this.frames[0]!, '(() => 0)()');
      return false;
    } catch (error) {
      return isTermination(error as Error); // else the stack is full
    }
  }

  /** Evaluates an expression of our own and gives its value. */
  ask(expression: string): Promise<any> {
    return this.#ask(this.frames[0]!, expression, EVALUATE);
  }

  async #ask({ callFrameId }: Frame, expression: string, timeout?: number): Promise<any> {
    const { result, exceptionDetails } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId,
      expression,
      returnByValue: true,
      silent: true,
      ...(timeout && { timeout }),
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Evaluates an expression of the user's in a frame, without side effects. */
  async read(frame: Frame, expression: string): Promise<Read> {
    const { result, exceptionDetails } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId: frame.callFrameId,
      expression,
      objectGroup: GROUP,
      silent: true,
      throwOnSideEffect: true,
      timeout: EVALUATE,
    });
    if (!exceptionDetails) return { value: result };
    const { className = 'Error', description = exceptionDetails.text } = exceptionDetails.exception ?? {};
    return {
      error: {
        className,
        message: String(description)
          .split('\n')[0]!
          .replace(/^\w*Error: /, ''),
      },
    };
  }

  /** Has the engine send what was read. It is not waited for here: that would keep the thread standing. */
  show(read: unknown, id: number): void {
    const { objectId, value, unserializableValue } = read as Record<string, any>;
    const call = (what: string): string => `${DOOR}.show(${id}, ${what})`;
    const given = objectId
      ? this.#debuggee.post('Runtime.callFunctionOn', {
          objectId,
          functionDeclaration: `function () { ${call('this')} }`,
          silent: true,
        })
      : this.#debuggee.post('Debugger.evaluateOnCallFrame', {
          callFrameId: this.frames[0]!.callFrameId,
          expression: call(unserializableValue ?? JSON.stringify(value) ?? 'undefined'),
          silent: true,
        });
    this.release();
    this.handed = given.then(({ exceptionDetails }) => {
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    });
    this.handed.catch(() => {}); // told once the thread goes on
  }

  /** What was read is not needed any more. */
  release(): void {
    this.#debuggee.post('Runtime.releaseObjectGroup', { objectGroup: GROUP }).catch(() => {});
  }

  /** Goes on to the next statement, if there is one that can be stepped to; else it stands somewhere else. */
  async step(): Promise<boolean> {
    const stepped = await this.#nextAfter('Debugger.stepOver');
    const frames = stepped ?? (await this.#nextAfter('Debugger.pause'));
    if (!frames) throw new Error('The thread did not pause again');
    this.frames = frames;
    return stepped !== undefined;
  }

  /** Undefined: it cannot be stopped here without harm. */
  async stop(): Promise<Rung | undefined> {
    if (isDelicate(this.frames)) return undefined;
    if (hasLanding(this.frames)) return this.#terminate('landed');
    if (!(await this.ask(`${DOOR}.mendable`))) return undefined;
    const immediates = immediatesIn(this.frames);
    const where: Where = immediates && (await this.#ask(immediates, QUEUE_GOES_ON, EVALUATE));
    if (where === 'unknown') return undefined;
    return this.#terminate(where === 'callback' ? 'restarted' : 'unwound');
  }

  #nextAfter(command: string): Promise<Frame[] | undefined> {
    return this.#next(STEP, () => {
      void dropOptimisation(this.#debuggee);
      return this.#debuggee.post(command);
    });
  }

  async #terminate(rung: Rung): Promise<Rung> {
    await this.ask(`${DOOR}.repair(${rung === 'unwound'})`);
    this.gone = true;
    await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
    return rung;
  }
}
