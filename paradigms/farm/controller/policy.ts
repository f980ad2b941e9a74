/** Which of the engines that have room a task goes to. All policies choose among the same ones; they only weigh differently. */
import type { Slot } from './slot.ts';

export type PolicyName = 'leastLoaded' | 'roundRobin' | 'random' | 'weighted';

export interface Policy {
  /** `slots`: at least one; all of them can take the task now. */
  choose(slots: readonly Slot[]): Slot;
  /** For policies that need not see all at once: the better one of two, of which the first was seen before. */
  best?(a: Slot, b: Slot): Slot;
}

/** The one with the least work before it; among equals the one that has done least. */
const leastLoaded: Policy = {
  choose: (slots) => slots.reduce(lessLoaded),
  best: lessLoaded,
};

function lessLoaded(a: Slot, b: Slot): Slot {
  return b.burden < a.burden || (b.burden === a.burden && b.out.size < a.out.size) ? b : a;
}

/** Each in turn, by id. */
function roundRobin(): Policy {
  let last = -1;
  return {
    choose(slots) {
      let next = slots[0]!;
      let lowest = slots[0]!;
      let found = false;
      for (const slot of slots) {
        if (slot.id < lowest.id) lowest = slot;
        if (slot.id > last && (!found || slot.id < next.id)) {
          next = slot;
          found = true;
        }
      }
      const chosen = found ? next : lowest;
      last = chosen.id;
      return chosen;
    },
  };
}

const random: Policy = { choose: (slots) => slots[Math.floor(Math.random() * slots.length)]! };

/** By chance, the likelier the less it has to do. */
const weighted: Policy = {
  choose(slots) {
    const weights = slots.map(({ burden, out }) => 1 / (1 + burden + out.size));
    let left = Math.random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of weights.entries()) {
      left -= weight;
      if (left <= 0) return slots[i]!;
    }
    return slots.at(-1)!;
  },
};

export const policies: Readonly<Record<PolicyName, () => Policy>> = {
  leastLoaded: () => leastLoaded,
  roundRobin,
  random: () => random,
  weighted: () => weighted,
};
