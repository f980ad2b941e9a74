/** Makes the paradigms that come with tutti known to every controller of this process: they need no `--plugin`. */
import { registerParadigm } from '../core/index.ts';
import { taskFarm } from './farm/index.ts';
import { mapReduce } from './mapreduce/paradigm.ts';
import { mpi } from './mpi/index.ts';
import { tupleSpace } from './tuplespace/paradigm.ts';

for (const paradigm of [taskFarm, mpi, tupleSpace, mapReduce]) registerParadigm(paradigm);
