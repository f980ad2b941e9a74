/**
 * How a thread is stopped in whatever it is doing, and looked into. Each rung costs more than the one before:
 *
 * - landed: the loop is inside the door (`core/engine/door.ts`). It is terminated up to there; nothing else is lost.
 * - restarted: it is inside a callback that we call. The callback's frame is run again, and does nothing the second time.
 * - unwound: it runs past an await. All is terminated down to the event loop; what else was about to run in the same
 *   turn is lost with it, so the engine repairs what it can and gives up the other calls in flight.
 *
 * What is done by other means (before it started, by its signal, by ending the engine) is not here. All that hangs on
 * Node's and V8's internals is here, in `pauses.ts`, in `stack.ts`, in `door.ts`, and in `repair.ts`, which checks them when the engine starts.
 */
import type { Debuggee } from './debuggee.ts';
import { type Frame, hasLanding, isDelicate, isRestartable } from './stack.ts';

export type Rung = 'landed' | 'restarted' | 'unwound';

export type Read = { value: unknown } | { error: { className: string; message: string } };

/** ms. A loop without a call and without a step position (`while (true);`) does not step. */
const STEP = 200;
const RESTART = 500;
/** ms for code that we run while the thread is paused: listeners of its signals may be among it, and they may loop. */
const EVALUATE = 2_000;

const GROUP = 'tutti-peek';
/** Where the engine has its end of all this. */
export const DOOR = `globalThis['tutti.door']`;

const TERMINATED = /terminated/;

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

  /** Whether a termination was under way: it has struck here, and is sent on to whom it is meant for. */
  async passOn(): Promise<boolean> {
    try {
      // Calls something, since only at calls and loops does a termination strike; and without a limit of time, which would end it.
      await this.#ask('(() => 0)()');
      return false;
    } catch (error) {
      if (!TERMINATED.test((error as Error).message)) return false; // the stack is full
      await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
      return true;
    }
  }

  /** Evaluates an expression of our own and gives its value. */
  ask(expression: string): Promise<any> {
    return this.#ask(expression, EVALUATE);
  }

  async #ask(expression: string, timeout?: number): Promise<any> {
    const { result, exceptionDetails } = await this.#debuggee.post('Debugger.evaluateOnCallFrame', {
      callFrameId: this.frames[0]!.callFrameId,
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
    this.#debuggee.post('Runtime.releaseObjectGroup', { objectGroup: GROUP }).catch(() => {});
    this.handed = given.then(({ exceptionDetails }) => {
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    });
    this.handed.catch(() => {}); // told once the thread goes on
  }

  /** Goes on to the next statement, if there is one that can be stepped to; else it stands somewhere else. */
  async step(where: 'Into' | 'Over'): Promise<boolean> {
    const stepped = await this.#next(STEP, () => this.#debuggee.post(`Debugger.step${where}`));
    const frames = stepped ?? (await this.#next(STEP, () => this.#debuggee.post('Debugger.pause')));
    if (!frames) throw new Error('The thread did not pause again');
    this.frames = frames;
    return stepped !== undefined;
  }

  /** Undefined: it cannot be stopped here without harm. */
  async stop(): Promise<Rung | undefined> {
    if (isDelicate(this.frames)) return undefined;
    if (hasLanding(this.frames)) return this.#terminate('landed');
    if (!(await this.ask(`${DOOR}.mendable`))) return undefined;
    if (this.frames.some(isRestartable) && (await this.#restart())) return 'restarted';
    if (isDelicate(this.frames)) return undefined; // it has stepped to there
    return this.#terminate('unwound');
  }

  async #terminate(rung: Rung): Promise<Rung> {
    await this.ask(`${DOOR}.repair(${rung === 'unwound'})`);
    this.gone = true;
    await this.#debuggee.post('Debugger.resume', { terminateOnResume: true });
    return rung;
  }

  /** After a step: a frame below optimised code cannot be restarted, and V8 ends the process when it is tried. */
  async #restart(): Promise<boolean> {
    if (!(await this.step('Into')) || isDelicate(this.frames)) return false;
    const frame = this.frames.find(isRestartable);
    if (!frame) return false;
    await this.ask(`${DOOR}.skip()`);
    const again = await this.#next(RESTART, () =>
      this.#debuggee.post('Debugger.restartFrame', { callFrameId: frame.callFrameId, mode: 'StepInto' }),
    );
    if (again) this.frames = again;
    return true;
  }
}
