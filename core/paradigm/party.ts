/** Parties and groups over exchanges. */
import { UsageError } from '../errors.ts';
import type { Address, Asked, Exchange } from './exchange.ts';
import type { Group, Party } from './paradigm.ts';

/** What a half needs to speak with others of its paradigm. */
export interface Voice {
  readonly paradigm: string;
  exchange(): Exchange;
  /** The value of a message, encoded; throws CannotTravelError. */
  pack(value: unknown): Asked;
  /** Resolves when little of what was sent is still waiting. */
  drained(): Promise<void>;
}

export function partyAt(voice: Voice, address: Address = {}): Party {
  const { paradigm, pack } = voice;
  return {
    async ask(op, value, options) {
      const signal = signalOf(options);
      return (await voice.exchange().ask(paradigm, op, address, pack(value), signal)) as any;
    },
    tell: (op, value) => voice.exchange().tell(paradigm, op, address, pack(value)),
    tellBytes: (op, parts, options) => voice.exchange().tellBytes(paradigm, op, address, parts, options),
    stream: (op, value, options) =>
      voice.exchange().stream(paradigm, op, address, pack(value), signalOf(options)) as AsyncGenerator<any>,
    drained: () => voice.drained(),
  };
}

/** A second value would be taken for options, and be lost without a word. */
export function signalOf(options: { signal?: AbortSignal } | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  const { signal, ...rest } = typeof options === 'object' && options !== null ? options : { options };
  if (Object.keys(rest).length || (signal !== undefined && !(signal instanceof AbortSignal)))
    throw new UsageError('A message has one value, and then { signal } at most: send several as a list or an object');
  return signal;
}

/** The value is encoded once, whoever gets it. `members` is asked at each message. */
export function groupOf(
  { paradigm, pack }: Pick<Voice, 'paradigm' | 'pack'>,
  members: () => readonly { exchange: Exchange; address: Address }[],
): Group {
  return {
    async ask(op, value, options) {
      const signal = signalOf(options);
      const asked = pack(value);
      const answers = members().map(({ exchange, address }) => exchange.ask(paradigm, op, address, asked, signal));
      return (await Promise.all(answers)) as any[];
    },
    tell(op, value) {
      const told = pack(value);
      for (const { exchange, address } of members()) exchange.tell(paradigm, op, address, told);
    },
  };
}
