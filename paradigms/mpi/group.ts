/** Sets of ranks, in an order: what communicators are made from. */
import { PROC_NULL } from './constants.ts';
import { MpiError } from './errors.ts';

export type Comparison = 'IDENT' | 'CONGRUENT' | 'SIMILAR' | 'UNEQUAL';

export class Group {
  /** Ranks in the world, by rank here. */
  readonly members: readonly number[];

  constructor(members: readonly number[]) {
    this.members = members;
  }

  get size(): number {
    return this.members.length;
  }

  /** Those ranks, in that order. @throws MpiError for a rank that is none, or comes twice */
  incl(ranks: readonly number[]): Group {
    this.#check('incl', ranks);
    return new Group(ranks.map((rank) => this.members[rank]!));
  }

  excl(ranks: readonly number[]): Group {
    this.#check('excl', ranks);
    return new Group(this.members.filter((_, rank) => !ranks.includes(rank)));
  }

  /** Ranges [first, last, stride], both ends included. */
  rangeIncl(ranges: readonly (readonly [number, number, number?])[]): Group {
    return this.incl(ranges.flatMap(range));
  }
  rangeExcl(ranges: readonly (readonly [number, number, number?])[]): Group {
    return this.excl(ranges.flatMap(range));
  }

  /** These, and then those of the other one that are not here. */
  union({ members }: Group): Group {
    return new Group([...new Set([...this.members, ...members])]);
  }
  intersection({ members }: Group): Group {
    return new Group(this.members.filter((member) => members.includes(member)));
  }
  difference({ members }: Group): Group {
    return new Group(this.members.filter((member) => !members.includes(member)));
  }

  /** What these ranks are called in the other group; undefined for those that are not in it. */
  translateRanks(ranks: readonly number[], other: Group): (number | undefined)[] {
    this.#check(
      'translateRanks',
      [...new Set(ranks)].filter((rank) => rank !== PROC_NULL),
    );
    return ranks.map((rank) => {
      if (rank === PROC_NULL) return PROC_NULL;
      const place = other.members.indexOf(this.members[rank]!);
      return place < 0 ? undefined : place;
    });
  }

  /** IDENT: the same in the same order; SIMILAR: in another one. */
  compare({ members }: Group): Exclude<Comparison, 'CONGRUENT'> {
    if (members.length !== this.size || !members.every((member) => this.members.includes(member))) return 'UNEQUAL';
    return members.every((member, rank) => this.members[rank] === member) ? 'IDENT' : 'SIMILAR';
  }

  #check(what: string, ranks: readonly number[]): void {
    const wrong = ranks.find((rank) => !Number.isInteger(rank) || rank < 0 || rank >= this.size);
    if (wrong !== undefined)
      throw new MpiError(`${what}: there is no rank ${String(wrong)} in a group of ${this.size}`);
    if (new Set(ranks).size < ranks.length) throw new MpiError(`${what}: a rank comes twice in ${ranks.join(', ')}`);
  }
}

function range([first, last, stride = 1]: readonly [number, number, number?]): number[] {
  if (!Number.isInteger(stride) || stride === 0)
    throw new MpiError(`A range is [first, last, stride], and its stride an integer that is not 0; got ${stride}`);
  const count = Math.floor((last - first) / stride) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, i) => first + i * stride);
}
