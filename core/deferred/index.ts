export { type Clock, realClock, TestClock } from './clock.ts';
export { Deferred } from './deferred.ts';
