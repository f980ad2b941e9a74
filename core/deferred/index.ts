export { type Clock, type DelayedCall, realClock } from './clock.ts';
export { co, type Waiting, wait } from './co.ts';
export { Deferred } from './deferred.ts';
export {
  DeferredList,
  type DeferredListOptions,
  gatherResults,
  type Outcome,
  type Outcomes,
} from './deferred-list.ts';
export { DeferredLock } from './lock.ts';
export { LoopingCall } from './looping-call.ts';
export { DeferredQueue, type DeferredQueueOptions } from './queue.ts';
export { race } from './race.ts';
export { DeferredSemaphore, type Held } from './semaphore.ts';
export { TestClock } from './test-clock.ts';
