/** Launchers start engines. The controller tells them how an engine finds home; the engine joins by itself. */

export interface EngineSpec {
  id: number;
  /** URLs of the controller, tried in order. */
  urls: string[];
  /** The engine's own key, `id.secret`. It travels over a pipe or by message, never on a command line. */
  token: string;
  /** PEM: the authority to trust where a URL is of `tls:` or `wss:`, and what to show to a listener that asks for a certificate. */
  ca?: string;
  cert?: string;
  key?: string;
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
  /** 0 while that is not known. */
  readonly pid: number;
  /** The machine where it is started, for messages to people; default: this one. */
  readonly host?: string;
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
  /** Scheme by which engines of this launcher reach a controller in this process. network: an address that other machines reach. */
  readonly scheme: 'unix' | 'thread' | 'tcp' | 'network';
  /** How many may be starting at once; default: twice as many as this machine has cores. */
  readonly atOnce?: number;
  /** How many engines it has places for: what a cluster starts that is not told how many. */
  readonly places?: number;
  /** @param tell takes what whoever runs the cluster should know of, though nothing has failed yet. */
  launch(spec: EngineSpec, tell?: (warning: string) => void): EngineHandle;
  /** The cluster has stopped, and its engines have ended: lets go of what it holds. Closing twice is fine. */
  close?(): Promise<void>;
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
