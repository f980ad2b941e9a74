/** A main without a cluster: as the only rank, in this process. */
import { hostname } from 'node:os';
import { UsageError } from '../../core/index.ts';
import { CartComm } from './cart-comm.ts';
import { Comm } from './comm.ts';
import { MpiError } from './errors.ts';
import { selfLink } from './self-link.ts';
import { World } from './world.ts';

/**
 * What `tutti mpi` does with one rank, for a program that is started by itself: its communicator has one rank, this one.
 * @example await mpiAlone(async (comm) => comm.size); // 1
 */
export async function mpiAlone<A extends unknown[], R>(
  main: (comm: Comm, ...args: A) => R,
  ...args: A
): Promise<Awaited<R>> {
  if (typeof main !== 'function')
    throw new UsageError(`mpiAlone takes a function main(comm, …args); got ${main === null ? 'null' : typeof main}`);
  const world = new World({
    cart: (core, grid) => new CartComm(core, grid),
    rank: 0,
    size: 1,
    hosts: [hostname()],
    giveMemory() {}, // there is nobody
    functions: { pack: async (fn) => fn, open: async (fn) => fn },
    spawn() {
      throw new MpiError('spawn takes a cluster; run the main by tutti mpi, or by client.use(mpi).run');
    },
  });
  world.messenger.connect(0, selfLink(0, world.messenger));
  try {
    const value = await Promise.race([main(new Comm(world.communicators.open([0], 0)), ...args), world.ended]);
    await world.finish();
    return value;
  } finally {
    world.ended.catch(() => {});
    world.close();
  }
}
