/**
 * What the survivors of a communicator agree on, whoever is lost meanwhile. The lowest rank that is left asks all others for their
 * votes, and tells all what follows from them; when it is lost, the next one asks again. Whoever knows of a decision answers with
 * it, so a decision that anybody has acted on is the one that all get.
 */
import type { Core } from './core.ts';
import { Request } from './request.ts';

export interface Vote {
  /** All bits that all have set. */
  flag: number;
  /** Ranks of the world. */
  lost: readonly number[];
  /** A context that nobody has used. */
  next: number;
}

export type AgreementMessage =
  | { what: 'ask'; number: number }
  | { what: 'vote'; number: number; vote: Vote }
  | { what: 'decision'; number: number; vote: Vote };

interface Round {
  vote?: Vote;
  decision?: Vote;
  request: Request<Vote>;
  votes: Map<number, Vote>;
  /** Who has asked before we had a vote. */
  askers: Set<number>;
  leading: boolean;
}

export class Agreements {
  #core: Core;
  #rounds = new Map<number, Round>();
  #calls = 0;

  constructor(core: Core) {
    this.#core = core;
    core.world.onLoss.add(this.#lost);
  }

  close(): void {
    this.#core.world.onLoss.delete(this.#lost);
  }

  /** Collective: members are matched by the order of their calls. */
  agree(flag: number): Request<Vote> {
    const { world } = this.#core;
    const number = ++this.#calls;
    const round = this.#round(number);
    world.lookout.began(round.request, () => `agreement ${number} on ${this.#core.name}`);
    round.vote = { flag, lost: [...world.lost.keys()], next: world.communicators.next };
    for (const asker of round.askers) this.#answer(asker, number, round);
    if (round.decision) round.request.resolve(round.decision);
    else this.#lead(number, round);
    return round.request;
  }

  receive(from: number, message: AgreementMessage): void {
    const { number } = message;
    const round = this.#round(number);
    if (message.what === 'ask') {
      if (round.vote || round.decision) this.#answer(from, number, round);
      else round.askers.add(from);
    } else if (message.what === 'vote') {
      round.votes.set(from, message.vote);
      this.#count(number, round);
    } else this.#decided(number, round, message.vote);
  }

  #round(number: number): Round {
    let round = this.#rounds.get(number);
    if (!round) {
      round = { request: new Request(), votes: new Map(), askers: new Set(), leading: false };
      this.#rounds.set(number, round);
    }
    return round;
  }

  #answer(to: number, number: number, { vote, decision }: Round): void {
    const message = decision
      ? ({ what: 'decision', number, vote: decision } as const)
      : ({ what: 'vote', number, vote: vote! } as const);
    this.#core.world.tell(to, { type: 'agree', context: this.#core.context, ...message });
  }

  #alive(): number[] {
    const { members, world } = this.#core;
    return members.filter((member) => !world.lost.has(member));
  }

  #lead(number: number, round: Round): void {
    const { world, context } = this.#core;
    if (this.#alive()[0] !== world.rank) return;
    if (!round.leading)
      for (const member of this.#alive())
        if (member !== world.rank) world.tell(member, { type: 'agree', context, what: 'ask', number });
    round.leading = true;
    this.#count(number, round);
  }

  #count(number: number, round: Round): void {
    const { world } = this.#core;
    if (!round.leading || !round.vote || round.decision) return;
    round.votes.set(world.rank, round.vote);
    const votes = this.#alive().map((member) => round.votes.get(member));
    if (votes.some((vote) => vote === undefined)) return;
    const all = votes as Vote[];
    this.#decided(number, round, {
      flag: all.reduce((flag, vote) => flag & vote.flag, -1),
      lost: [...new Set([...world.lost.keys(), ...all.flatMap(({ lost }) => lost)])],
      next: Math.max(...all.map(({ next }) => next)),
    });
  }

  #decided(number: number, round: Round, decision: Vote): void {
    if (round.decision) return;
    round.decision = decision;
    if (round.leading)
      for (const member of this.#alive()) if (member !== this.#core.world.rank) this.#answer(member, number, round);
    if (round.vote) round.request.resolve(decision);
  }

  #lost = (): void => {
    for (const [number, round] of this.#rounds) if (round.vote && !round.decision) this.#lead(number, round);
  };
}
