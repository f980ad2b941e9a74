/** What the worlds of two ranks say to each other, beside messages. */
import type { AgreementMessage } from './agreement.ts';
import type { KeptMessage } from './util/kept.ts';
import type { WindowMessage } from './window-message.ts';

export type Control = WorldControl | CommunicatorControl;

export type WorldControl =
  | { type: 'finished' }
  /** Of who has finished: all that it has sent has come. */
  | { type: 'seen' }
  /** Somebody who may never have said anything here. */
  | { type: 'lost'; rank: number; reason: string }
  /** `waits`, `aborted`: what has ended it ends all; whoever began it may be heard later than those who follow. */
  | { type: 'gone'; reason: string; waits?: readonly string[]; aborted?: { message: string; code: number } }
  | { type: 'abort'; code: number; rank: number };

export type CommunicatorControl =
  | { type: 'revoke'; context: number }
  | { type: 'mismatch'; context: number; number: number; signature: number }
  | { type: 'spoilt'; context: number; number: number; error: Error }
  | ({ type: 'agree'; context: number } & AgreementMessage)
  | ({ type: 'window'; context: number; window: number } & WindowMessage)
  | ({ type: 'kept'; context: number } & KeptMessage);
