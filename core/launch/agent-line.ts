/** The launcher's side of a line to an agent on another machine: starts engines there, and hears of their ends. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { LaunchError } from '../errors.ts';
import { BEAT, type FromAgent, MARK, type ToAgent } from './agent-messages.ts';
import { agentProgram } from './agent-program.ts';
import type { EngineBoot, EngineExit, EngineHandle } from './launcher.ts';
import { Lines } from './lines.ts';

/** ms that clocks may differ before somebody should know. */
const SKEW = 5_000;
/** ms that an agent may take to say that an engine was killed, or to end. */
const PATIENCE = 5_000;
/** Characters kept of what was printed to no engine's account. */
const KEPT = 2_000;

export interface LineHooks {
  /** The machine, for messages to people. */
  readonly host: string;
  warn(text: string): void;
  /** Why the line has ended, in words, from the exit of the process that was the line. */
  reason(exit: { exitCode: number | null; signal: string | null; printed: string }): string;
}

type Listener = (stream: 'stdout' | 'stderr', text: string) => void;

interface Started {
  pid: number;
  listener: Listener;
  settle(exit: EngineExit): void;
}

export class AgentLine {
  /** Set when it has ended. */
  failure: LaunchError | undefined;
  /** The agent has answered, once. */
  here = false;
  readonly ended: Promise<void>;
  #child: ChildProcessWithoutNullStreams;
  #hooks: LineHooks;
  #started = new Map<number, Started>();
  #next = 1;
  #printed = '';
  #begun = Date.now();

  /** @param child a process at whose other end the agent's command runs */
  constructor(child: ChildProcessWithoutNullStreams, hooks: LineHooks) {
    this.#child = child;
    this.#hooks = hooks;
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {}); // the end tells
    child.stdin.write(`${agentProgram()}\n`);
    const beat = setInterval(() => this.#say({ type: 'beat' }), BEAT).unref();
    const lines = new Lines();
    child.stdout.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        if (line.startsWith(MARK)) this.#hear(JSON.parse(line.slice(MARK.length)) as FromAgent);
        else this.#noise(`${line}\n`);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#noise(text));
    this.ended = new Promise((resolve) => {
      const over = (reason: string, cause?: unknown): void => {
        if (this.failure) return;
        clearInterval(beat);
        this.failure = new LaunchError(reason, { cause });
        for (const { settle } of this.#started.values()) settle({ exitCode: null, signal: null, error: this.failure });
        this.#started.clear();
        resolve();
      };
      child.once('error', (error) => over(`${child.spawnfile} cannot be run here: ${error.message}`, error));
      child.once('close', (exitCode, signal) =>
        over(hooks.reason({ exitCode, signal, printed: this.#printed.trim() })),
      );
    });
  }

  launch(boot: EngineBoot): EngineHandle {
    const engine = this.#next++;
    let settle!: Started['settle'];
    const exited = new Promise<EngineExit>((resolve) => {
      settle = resolve;
    });
    const started: Started = { pid: 0, listener: () => {}, settle };
    if (this.failure) settle({ exitCode: null, signal: null, error: this.failure });
    else {
      this.#started.set(engine, started);
      this.#say({ type: 'launch', engine, boot });
    }
    return {
      get pid() {
        return started.pid;
      },
      host: this.#hooks.host,
      exited,
      onOutput(listener) {
        started.listener = listener;
      },
      kill: () => this.#kill(engine),
    };
  }

  /** Ends the agent, and with it the engines that it may still have. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.here ? PATIENCE : 0);
    await this.ended;
    clearTimeout(timer);
  }

  /** Nobody waits for ever for a machine that does not answer. */
  #kill(engine: number): void {
    const started = this.#started.get(engine);
    if (!started) return;
    this.#say({ type: 'kill', engine });
    const settle = (): void => started.settle({ exitCode: null, signal: 'SIGKILL' });
    if (!this.here) settle();
    else setTimeout(settle, PATIENCE).unref();
  }

  #say(message: ToAgent): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #hear(message: FromAgent): void {
    if (message.type === 'here') {
      this.here = true;
      this.#compareClocks(message.clock);
      return;
    }
    if (message.type === 'warning') {
      this.#hooks.warn(`${this.#hooks.host}: ${message.text}`);
      return;
    }
    const started = this.#started.get(message.engine);
    if (!started) return;
    if (message.type === 'launched') started.pid = message.pid;
    else if (message.type === 'output') started.listener(message.stream, message.text);
    else {
      this.#started.delete(message.engine);
      started.settle({
        ...message.exit,
        ...(message.error !== undefined && { error: new LaunchError(message.error) }),
      });
    }
  }

  /** Its clock was read at some time between the begin of the line and now. */
  #compareClocks(clock: number): void {
    const ahead = clock - Date.now();
    const behind = this.#begun - clock;
    if (Math.max(ahead, behind) < SKEW) return;
    const [by, way] = ahead > behind ? [ahead, 'ahead of'] : [behind, 'behind'];
    this.#hooks.warn(
      `The clock of ${this.#hooks.host} is ${Math.round(by / 1_000)} s ${way} that of the controller: certificates and deadlines depend on it; set the clocks (NTP)`,
    );
  }

  #noise(text: string): void {
    this.#printed = (this.#printed + text).slice(-KEPT);
  }
}
