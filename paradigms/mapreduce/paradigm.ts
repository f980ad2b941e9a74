/** MapReduce as a plug-in: there is no half on the controller, which sees no record. */
import {
  type ClientHost,
  type Command,
  type CommandTools,
  defineParadigm,
  type ParadigmFactory,
} from '../../core/index.ts';
import { taskFarm } from '../farm/index.ts';
import { mapReduceCommand } from './cli/command.ts';
import { type MapReduce, makeMapReduce } from './client/map-reduce.ts';

/**
 * Jobs of map and reduce over files and lists: `client.use(mapReduce).run(job, { input })`.
 * @example
 * const job = { map: (line, ctx) => line.split(' ').forEach((word) => ctx.emit(word, 1)), reduce: (word, ones) => [...ones].length };
 * const counts = await client.use(mapReduce).run(job, { input: lines('*.txt') });
 */
export const mapReduce: ParadigmFactory<MapReduce, []> = /* @__PURE__ */ defineParadigm({
  name: 'mapreduce',
  version: '1.0.0',
  module: import.meta.url,
  requires: [taskFarm],
  engine: './engine',
  client: (host: ClientHost): MapReduce => makeMapReduce(host),
  cli: (tools: CommandTools): Command => mapReduceCommand(tools, (client) => client.use(mapReduce).run),
});
