import { mpiSuite } from './support/mpi-suite.ts';

mpiSuite('process');
