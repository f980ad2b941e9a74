import { EmptyError, Observable, type Unsubscribable } from 'rxjs';
import type { Deferred } from './deferred.ts';

/** Emits the outcome; leaving before it is there cancels the Deferred. */
export function toObservable<T>(deferred: Deferred<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    deferred.tap(
      (value) => {
        subscriber.next(value);
        subscriber.complete();
      },
      (error) => subscriber.error(error),
    );
    return () => deferred.cancel();
  });
}

/** Fires `deferred` with the first value of `source`, then leaves the source; the function returned leaves it earlier. */
export function fireWithFirst<T>(source: Observable<T>, deferred: Deferred<T>): () => void {
  let subscription: Unsubscribable | undefined;
  let over = false;
  const leave = () => {
    over = true;
    subscription?.unsubscribe();
  };
  const settle = (fire: () => void) => {
    if (over) return;
    leave();
    if (!deferred.called) fire();
  };
  subscription = source.subscribe({
    next: (value) => settle(() => deferred.callback(value)),
    error: (error: unknown) => settle(() => deferred.errback(error)),
    complete: () => settle(() => deferred.errback(new EmptyError())),
  });
  // A source may emit while it is being subscribed to, when there is no subscription to end yet.
  if (over) subscription.unsubscribe();
  return leave;
}
