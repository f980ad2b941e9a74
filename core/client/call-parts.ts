/** What a call is made of: a part for each target, and what few calls need. */
import type { Progress } from '../conversation.ts';
import type { Payload } from '../wire/forms.ts';
import type { Call } from './call.ts';
import type { Told } from './told.ts';

export type PartState = 'pending' | 'arrived' | 'kept' | 'failed';

export class PartRecord {
  /** -1 while it is not known where it will be made. */
  engine: number;
  /** Of the engine, when the call was made. */
  incarnation: number;
  state: PartState = 'pending';
  payload: Payload | undefined;
  /** Its fetch, once asked for. */
  fetching: Promise<unknown> | undefined;
  /** The value, once decoded here. */
  decoded: { value: unknown } | undefined;
  error: Error | undefined;
  /** It has been said to run. */
  running = false;
  started = 0;
  completed = 0;
  bytes = 0;

  constructor(engine: number, incarnation: number) {
    this.engine = engine;
    this.incarnation = incarnation;
  }
}

export interface Printed {
  engine: number;
  stream: 'stdout' | 'stderr';
  text: string;
}

/** What few calls need. */
export class More {
  uses: readonly Call[] = NONE;
  unplaced = 0;
  /** Made when they are needed: most calls never print or talk. */
  printed: Told<Printed> | undefined;
  messages: Told<{ engine: number; value: unknown }> | undefined;
  progress: Map<number, Progress> | undefined;
  progressListeners: Set<(progress: Progress) => void> | undefined;
  partListeners: Set<(part: PartRecord) => void> | undefined;
  /** Somebody will be told when its result is held by nobody any more. */
  watched = false;
  verdict: Error | undefined;
}

export const NONE: readonly Call[] = [];
