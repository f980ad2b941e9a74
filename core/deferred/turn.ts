/**
 * The end of the running turn: the macrotask and its microtasks. A Deferred that comes to rest on an error is looked at
 * again then, because until then its maker has had the time to add an errback or to await it.
 */
let waiting: (() => void)[] = [];

export function atEndOfTurn(f: () => void): void {
  if (waiting.push(f) === 1) setImmediate(end);
}

function end(): void {
  const due = waiting;
  waiting = [];
  for (const f of due) f();
}
