/** One tuple for each of several templates, no tuple twice, if there is a way to do it at all. */
import type { Entry } from './store/entry.ts';
import type { Matcher } from './store/matcher.ts';

/** `candidates` gives the first few tuples that match. */
export function assign(
  matchers: readonly Matcher[],
  candidates: (matcher: Matcher, limit: number) => readonly Entry[],
): Entry[] | undefined {
  // With as many candidates as there are templates, one is always free.
  const choices = matchers.map((matcher) => candidates(matcher, matchers.length));
  const owners = new Map<Entry, number>();
  const settle = (i: number, tried: Set<Entry>): boolean => {
    for (const entry of choices[i]!) {
      if (tried.has(entry)) continue;
      tried.add(entry);
      const owner = owners.get(entry);
      if (owner !== undefined && !settle(owner, tried)) continue;
      owners.set(entry, i);
      return true;
    }
    return false;
  };
  for (let i = 0; i < matchers.length; i++) if (!settle(i, new Set())) return undefined;
  const found = new Array<Entry>(matchers.length);
  for (const [entry, i] of owners) found[i] = entry;
  return found;
}
