/** What an engine and its supervisor say to each other through their port, when the engine's event loop turns. */
import type { EngineSpec } from '../launch/launcher.ts';

/** Stop a task, or say why not. Of what runs now, whatever it is, where no call is named. */
export interface Order {
  readonly id: number;
  readonly client: number;
  /** 0: what runs now. */
  readonly call: number;
  readonly kind: 'interrupt' | 'cancel' | 'peek';
  readonly reason: string;
  /** It was sent to this engine and has not been answered: where it is not known, it is still on its way. */
  readonly due: boolean;
}

/**
 * How the task of an order stands. waiting: it has not started, and will not. here: it is what the thread runs now. running:
 * it waits for something, at an await. willing: it is here, and has looked at its signal. stray: it is not what the thread
 * runs; that is left over from a task that has ended. coming (only where it is to be looked into): nothing keeps it from starting
 * but that it, or what it needs, is on its way.
 */
export type Stand = 'done' | 'coming' | 'idle' | 'waiting' | 'running' | 'here' | 'willing' | 'stray';

export type ToEngine =
  | { type: 'order'; order: Order }
  /** All was terminated down to the event loop, to carry out this order; or what a task had left behind that was told to stop. */
  | { type: 'unwound'; order?: Order }
  /** For a task: a payload in its parts. */
  | { type: 'message'; client: number; call: number; codec: 'msgpack' | 'json' | 'raw'; parts: Uint8Array[] };

export type FromEngine =
  /** It has joined: where the supervisor finds its controller, and as whom. */
  | { type: 'joined'; token: string; engine: number; incarnation: number; beat: number }
  | { type: 'left' }
  /** The key that lets both in from now on. */
  | { type: 'rekeyed'; token: string }
  /** What takes both through TLS from now on. */
  | { type: 'certified'; tls: Certificates }
  /** An order's task has ended, by itself or because it was stopped; or was left behind at its await. */
  | { type: 'answer'; id: number; outcome: 'never-started' | 'settled' | 'abandoned' | 'done' | 'idle' }
  /** How the task of an order stands, that the event loop has heard of: it is to be looked into, or has time to stop by itself. */
  | { type: 'stands'; id: number; stand: Stand }
  /** A value that was read from it. */
  | { type: 'shown'; id: number; codec: 'msgpack' | 'json' | 'raw'; parts: Uint8Array[] };

/** PEM, as in `EngineSpec`. */
export type Certificates = Pick<EngineSpec, 'ca' | 'cert' | 'key'>;

export function certificatesOf({ ca, cert, key }: Certificates): Certificates {
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

/** What a supervisor is given for each engine that it looks after. */
export interface WardBoot {
  readonly urls: string[];
  readonly tls: Certificates;
  readonly memory: SharedArrayBuffer;
  /** Of an engine that is a worker: its `threadId`. Else it is the process's main thread. */
  readonly thread?: number;
}
