import { DeferredSemaphore } from './semaphore.ts';

/** A semaphore of one token: one at a time, first come, first served. */
export class DeferredLock extends DeferredSemaphore {
  constructor() {
    super(1);
  }

  /** Somebody has it. */
  get locked(): boolean {
    return this.tokens === 0;
  }
}
