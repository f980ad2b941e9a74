/** What goes wrong with spaces. */
import {
  CancelledError,
  CannotTravelError,
  LimitError,
  registerErrorClass,
  StoreError,
  StoreFullError,
  TimeoutError,
  TuttiError,
  UsageError,
} from '../../core/index.ts';

export class SpaceError extends TuttiError {
  override readonly code: string = 'SPACE';
}
/** There is no space of this name, and none was to be made. */
export class SpaceNotFoundError extends SpaceError {
  override readonly code: string = 'SPACE_NOT_FOUND';
}
/** A space has no room for so many tuples at once. */
export class SpaceFullError extends SpaceError {
  override readonly code: string = 'SPACE_FULL';
}
/** The space was destroyed while somebody waited for a tuple of it. */
export class SpaceDestroyedError extends SpaceError {
  override readonly code: string = 'SPACE_DESTROYED';
}
/** A reservation, or the lease of a tuple or watch, is over. */
export class LeaseExpiredError extends SpaceError {
  override readonly code: string = 'LEASE_EXPIRED';
}

const OURS = [SpaceError, SpaceNotFoundError, SpaceFullError, SpaceDestroyedError, LeaseExpiredError];
for (const one of OURS) registerErrorClass(one);

const CLASSES: readonly (abstract new (...args: any[]) => Error)[] = [
  ...OURS,
  TuttiError,
  UsageError,
  TimeoutError,
  CancelledError,
  CannotTravelError,
  StoreError,
  StoreFullError,
];

/** As it was on the controller. */
export function errorNamed(name: string, message: string): Error {
  if (name === 'LimitError') return new LimitError(message, { limit: 'waiting', max: MOST_WAITING });
  const made = CLASSES.find((known) => known.name === name) ?? TuttiError;
  return new (made as new (message: string) => Error)(message);
}

/** Requests of one client or engine that may wait at a time. */
export const MOST_WAITING = 100_000;
