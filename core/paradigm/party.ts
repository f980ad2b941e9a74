/** Parties and groups over exchanges. */
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
    async ask(op, value, { signal } = {}) {
      return (await voice.exchange().ask(paradigm, op, address, pack(value), signal)) as any;
    },
    tell: (op, value) => voice.exchange().tell(paradigm, op, address, pack(value)),
    stream: (op, value, { signal } = {}) =>
      voice.exchange().stream(paradigm, op, address, pack(value), signal) as AsyncGenerator<any>,
    drained: () => voice.drained(),
  };
}

/** The value is encoded once, whoever gets it. `members` is asked at each message. */
export function groupOf(
  { paradigm, pack }: Pick<Voice, 'paradigm' | 'pack'>,
  members: () => readonly { exchange: Exchange; address: Address }[],
): Group {
  return {
    async ask(op, value, { signal } = {}) {
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
