/** Program of the small thread beside a process engine that has no supervisor. */
import { workerData } from 'node:worker_threads';
import { watchLifeline } from './lifeline.ts';

watchLifeline(workerData.lifeline);
