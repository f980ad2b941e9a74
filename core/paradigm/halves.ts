/** The halves in one place, by paradigm: those that are there, and those that are on their way, with what waits for them. */
import { ParadigmError } from '../errors.ts';
import type { Handlers } from './paradigm.ts';

/** How long a half may take to start. Engines hold back calls meanwhile. */
const PATIENCE_MS = 30_000;

type Ready = (half: Handlers | Error) => void;

interface Place {
  made: Promise<Handlers> | undefined;
  half: Handlers | Error | undefined;
  waiting: Ready[];
}

export class Halves {
  #places = new Map<string, Place>();
  #where: string;

  /** `where`: for messages to people, e.g. 'engine 3'. */
  constructor(where: string) {
    this.#where = where;
  }

  /** Puts a half in place, now or when its promise resolves; what fails to load answers every message with its error. */
  put(paradigm: string, make: () => Handlers | Promise<Handlers>): Promise<Handlers> {
    const place: Place = { made: undefined, half: undefined, waiting: [] };
    this.#places.set(paradigm, place);
    const settle = (half: Handlers | Error): void => {
      place.half = half;
      for (const ready of place.waiting.splice(0)) ready(half);
    };
    const made = (async () => {
      const half = await withinPatience(paradigm, this.#where, make());
      if (typeof half !== 'object' || half === null)
        throw new ParadigmError(`Paradigm '${paradigm}': its half for ${this.#where} returns no handlers`);
      return half;
    })();
    place.made = made;
    made.then(settle, (cause) => settle(failure(paradigm, this.#where, cause)));
    return made;
  }

  get(paradigm: string, ready: Ready): void {
    const place = this.#places.get(paradigm);
    if (!place) ready(new ParadigmError(`Paradigm '${paradigm}' has no half on ${this.#where}`));
    else if (place.half) ready(place.half);
    else place.waiting.push(ready);
  }

  /** Those that are there or on their way, in the order in which they came. */
  all(): Promise<Handlers>[] {
    return [...this.#places.values()].flatMap(({ made, half }) => (made && !(half instanceof Error) ? [made] : []));
  }
}

function failure(paradigm: string, where: string, cause: unknown): Error {
  if (cause instanceof ParadigmError) return cause;
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new ParadigmError(`Paradigm '${paradigm}' failed to start on ${where}: ${why}`, { cause });
}

async function withinPatience<T>(paradigm: string, where: string, made: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ParadigmError(
      `Paradigm '${paradigm}' did not start on ${where} within ${PATIENCE_MS / 1000} s; what its half returns, or awaits, never came`,
    );
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  try {
    return await Promise.race([made, late]);
  } finally {
    clearTimeout(timer);
  }
}
