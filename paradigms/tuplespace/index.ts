export type { SpaceGlobal } from './engine.ts';
export { LeaseExpiredError, SpaceDestroyedError, SpaceError, SpaceFullError, SpaceNotFoundError } from './errors.ts';
export { ANY, type Field, t } from './fields.ts';
export { type SpaceOptions, tupleSpace } from './paradigm.ts';
export type {
  AnyTuple,
  ConsumeOptions,
  Entry,
  Matching,
  OutOptions,
  Reservation,
  SpaceEvent,
  SpaceInfo,
  Template,
  TupleSpace,
  WaitOptions,
  WatchOptions,
} from './types.ts';
