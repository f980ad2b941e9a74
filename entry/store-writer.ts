/** The thread that commits to a store on disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveWriter, type WriterOptions } from '../core/store/lmdb-writer.ts';

await serveWriter(parentPort!, workerData as WriterOptions);
