/** A communicator of some members, made by them alone. */
import { MAX_TAG } from './constants.ts';
import type { Core } from './core.ts';
import { MpiError } from './errors.ts';
import type { Group } from './group.ts';
import { packed, unpacked } from './packet.ts';
import { type Request, requestOf } from './request.ts';

/** They tell the first of them which contexts they have used, and it tells them which one it is to be. */
export function createGroup(core: Core, { members }: Group, tag: number): Request<Core> {
  const { world, messenger } = core;
  core.check('createGroup');
  if (!Number.isInteger(tag) || tag < 0 || tag > MAX_TAG)
    throw new MpiError(`createGroup: a tag is an integer from 0 to ${MAX_TAG}; got ${String(tag)}`);
  if (!members.includes(world.rank))
    throw new MpiError('createGroup is called by the members of the group alone, and this rank is none');
  const stranger = members.find((member) => core.rankOf(member) === undefined);
  if (stranger !== undefined) throw new MpiError(`createGroup: the group has a member that ${core.name} has not`);
  // Collectives count up from 1 in this context.
  const context = core.context + 1;
  const below = -2 - tag;
  const source = core.rank;
  const send = (to: number, next: number): Request =>
    messenger.send(to, packed(next), { context, source, tag: below }, false, 'createGroup');
  const receive = (from: number): Request<number> =>
    messenger.receive({
      context,
      source: core.rankOf(from)!,
      tag: below,
      from,
      into: undefined,
      as: (packet) => unpacked(packet) as number,
      what: 'createGroup',
    });
  const agree = async (): Promise<Core> => {
    const [first, ...others] = members as [number, ...number[]];
    let next = world.communicators.next;
    if (world.rank === first) {
      const told = others.map(receive);
      for (const one of told) next = Math.max(next, await one);
      for (const other of others) await send(other, next);
    } else {
      await send(first, next);
      next = await receive(first);
    }
    return world.communicators.open(members, next);
  };
  return requestOf(agree());
}
