/** Launchers start engines. The controller tells them how an engine finds home; the engine joins by itself. */

export interface EngineSpec {
  id: number;
  /** URLs of the controller, tried in order. */
  urls: string[];
  /** The engine's own key, `id.secret`. It travels over a pipe or by message, never on a command line. */
  token: string;
  /** PEM: the authority to trust where a URL is of `tls:` or `wss:`. */
  ca?: string;
  /** Working directory: imports of user code resolve from here. */
  cwd: string;
  env: Record<string, string>;
  /** What the engine removes when its launcher has died without doing so. */
  litter: string[];
  /** ms between heartbeats. */
  beat: number;
  /** With a thread beside it that talks, and stops tasks, while they are in a loop. */
  supervised: boolean;
}

export interface EngineExit {
  exitCode: number | null;
  signal: string | null;
  /** Why it could not even start, if so. */
  error?: Error;
}

export interface EngineHandle {
  readonly pid: number;
  /** Resolves once, when the engine has ended for whatever reason; never rejects. */
  readonly exited: Promise<EngineExit>;
  /** Output that did not pass through the engine's own streams (native code, crashes, child processes). */
  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
}

export interface Launcher {
  /** Shown as the engine's `kind`. */
  readonly kind: string;
  /** Scheme by which engines of this launcher reach a controller in this process. */
  readonly scheme: 'unix' | 'thread' | 'tcp';
  /** How many may be starting at once; default: twice as many as this machine has cores. */
  readonly atOnce?: number;
  launch(spec: EngineSpec): EngineHandle;
}

/** What a program inside `entry/` reads before anything else. */
export interface EngineBoot extends EngineSpec {
  kind: string;
}

/** User code on engines has no business with the keys that clients and engines are let in with. */
export function withoutTokens(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { TUTTI_TOKEN: _client, TUTTI_ENGINE_TOKEN: _engine, ...rest } = env;
  return rest;
}
