/** Ranks that find each other by way of NATS, as on hosts of their own. */
import { mpiSuite } from './support/mpi-suite.ts';
import { overNats, sharedNats, withNats } from './support/nats.ts';

withNats('by way of NATS', () => {
  const server = sharedNats();
  const url = (): string => server().url('mpi');
  mpiSuite('process', {
    options: () => ({ launcher: overNats(url, { apart: true }), listen: [url()] }),
    perHost: 1,
  });
});
