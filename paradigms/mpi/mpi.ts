import { defineParadigm } from '../../core/index.ts';
import { mpiCommand } from './cli.ts';
import { makeMpi } from './runner.ts';

/**
 * Messages between ranks, as in MPI: point-to-point, collectives, communicators, shared memory between thread ranks.
 * @example
 * const sums = await client.use(mpi).run((comm) => comm.allreduce(comm.rank), { ranks: 4 }); // [6, 6, 6, 6]
 */
export const mpi = /* @__PURE__ */ defineParadigm({
  name: 'mpi',
  version: '1.0.0',
  module: import.meta.url,
  engine: './engine',
  client: makeMpi,
  cli: mpiCommand,
});
