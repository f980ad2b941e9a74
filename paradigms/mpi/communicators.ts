/** The communicators that a rank is a member of, by context: those that are here, and what came for those that are not yet. */
import type { CommunicatorControl } from './control.ts';
import { Core } from './core.ts';
import type { Message } from './transfer.ts';
import type { World } from './world.ts';

export class Communicators {
  readonly #world: World;
  readonly #cores = new Map<number, Core>();
  readonly #early = new Map<number, { from: number; control: CommunicatorControl }[]>();
  #next = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get size(): number {
    return this.#cores.size;
  }

  /** A context that all members of a new communicator can agree on: the largest of theirs. */
  get next(): number {
    return this.#next;
  }
  /** It is taken, by somebody else perhaps. */
  skip(context: number): void {
    this.#next = Math.max(this.#next, context + 2);
  }

  open(members: readonly number[], context: number, rank?: number): Core {
    const core = new Core(this.#world, context, members, rank);
    this.#cores.set(context, core);
    this.skip(context);
    const early = this.#early.get(context) ?? [];
    this.#early.delete(context);
    for (const { from, control } of early) this.receive(from, control);
    return core;
  }

  /** Contexts come in pairs: that of messages, that of collectives. */
  of(context: number): Core | undefined {
    return this.#cores.get(context & ~1);
  }

  forget({ context }: Core): void {
    const { messenger } = this.#world;
    this.#cores.delete(context);
    messenger.drop(context);
    messenger.drop(context + 1);
  }

  /** Will anybody ever receive it? Tells those who call another collective than its sender. */
  expects({ context, source, tag, head }: Message): boolean {
    const core = this.of(context);
    if (!core) return context >= this.#next;
    if (core.revoked) return false;
    if (context === core.context || core.agrees(tag, head.signature)) return true;
    core.mismatch(source, tag, head.signature);
    return false;
  }

  receive(from: number, control: CommunicatorControl): void {
    const { context } = control;
    const core = this.#cores.get(context);
    if (!core) {
      if (context < this.#next) return; // it was freed
      const early = this.#early.get(context) ?? [];
      early.push({ from, control });
      this.#early.set(context, early);
    } else if (control.type === 'revoke')
      core.revoke(); // which passes it on: whoever said it may be gone
    else if (control.type === 'mismatch') core.mismatch(core.rankOf(from)!, control.number, control.signature, false);
    else if (control.type === 'spoilt') core.fail(control.error, control.number);
    else if (control.type === 'agree') core.agreements.receive(from, control);
    else if (control.type === 'kept') core.kept?.(from, control);
    else core.windows.get(control.window)?.(from, control);
  }
}
