/** What clients are told of engines and of what happens to them. */

export type EngineState = 'alive' | 'busy' | 'draining' | 'disconnected' | 'frozen' | 'lost';

export interface EngineInfo {
  /** Counts up from 0; kept by an engine that restarts or rejoins. */
  readonly id: number;
  /** 1 at first; one more at each restart or rejoin. Results of an older incarnation are dropped. */
  readonly incarnation: number;
  readonly host: string;
  readonly pid: number;
  /** `process`, `thread`, or `external` for one that joined by itself. */
  readonly kind: string;
  /** Scheme of its connection to the controller. */
  readonly transport: string;
  /** busy: user code has the event loop. draining: it is to go, and gets nothing new. disconnected: cut, may resume. frozen: silent. lost: given up. */
  readonly state: EngineState;
  /** Resident memory in bytes, as of its last heartbeat. */
  readonly memory: number;
  readonly cwd: string;
  readonly node: string;
}

export type ClusterEvent =
  | { type: 'engine-joined'; engine: EngineInfo }
  | { type: 'engine-state'; engine: EngineInfo; was: EngineState }
  | { type: 'engine-lost'; engine: EngineInfo; reason: string }
  | { type: 'engine-removed'; engine: EngineInfo }
  | { type: 'client-joined'; client: number }
  | { type: 'client-left'; client: number }
  /** What the controller's half of a paradigm emits. */
  | { type: 'paradigm'; paradigm: string; event: unknown }
  /** Output that no task of this client printed. */
  | { type: 'output'; engine: number; stream: 'stdout' | 'stderr'; text: string };

/** A paradigm as its cluster knows it. */
export interface ParadigmInfo {
  readonly name: string;
  readonly version: string;
  /** Has it a half for the controller, and for engines? */
  readonly controller: boolean;
  readonly engine: boolean;
  /** A client has used it since the cluster was started. */
  readonly use: boolean;
  /** Where its controller half was loaded from, if it says so. */
  readonly module?: string;
}

export interface ClusterParadigms {
  /** Those that any client can use, and those that clients have brought along. */
  readonly paradigms: readonly ParadigmInfo[];
  /** Plug-ins of the controller's start list that could not be loaded, and why. */
  readonly failed: readonly { readonly plugin: string; readonly reason: string }[];
}

/** How to reach a cluster. Holds a secret: keep it out of logs. */
export interface ConnectionInfo {
  readonly name: string;
  /** Controller addresses, best first. */
  readonly urls: readonly string[];
  /** Lets a client in: `id.secret`. */
  readonly token: string;
  /** Lets in who only watches. */
  readonly observerToken?: string;
  /** Lets an engine join by itself. */
  readonly engineToken?: string;
  /** PEM: the authority that signed the certificates of its `tls:` and `wss:` addresses, where the system knows of none. */
  readonly ca?: string;
  /** SHA-256 of that certificate, for people to compare. */
  readonly fingerprint?: string;
  /** PEM: what to show to listeners that ask for a certificate. */
  readonly cert?: string;
  readonly key?: string;
  readonly host?: string;
  readonly pid?: number;
}
