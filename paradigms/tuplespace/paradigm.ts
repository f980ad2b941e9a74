/** The tuple space as a plug-in. */
import { Observable } from 'rxjs';
import {
  type Command,
  type CommandTools,
  defineParadigm,
  type Paradigm,
  type ParadigmFactory,
} from '../../core/index.ts';
import { spaceCommand } from './cli.ts';
import { ClientSpace } from './client-space.ts';
import { Link } from './link.ts';
import { evaluate } from './live.ts';
import type { Answers, OpenOptions } from './protocol.ts';
import type { AnyTuple, TupleSpace } from './types.ts';

export interface SpaceOptions {
  /** Default: `default`. */
  name?: string;
  /** Which of several tuples that match: the oldest (default), the newest, or any. */
  order?: 'fifo' | 'lifo' | 'random';
  /** Its tuples outlive the cluster, which must have been started with `durable`. */
  durable?: boolean;
  /** So many tuples at most; further ones wait for room. */
  bound?: number;
  /** `false`: SpaceNotFoundError if it is not there. */
  create?: boolean;
}

const definition = defineParadigm({
  name: 'space',
  version: '1.0.0',
  module: import.meta.url,
  controller: async (host) => (await import('./controller.ts')).makeController(host),
  engine: './engine',
  client: (host, { name = 'default', ...options }: SpaceOptions = {}): TupleSpace => {
    const link = host.shared(() => {
      const made = new Link(host.controller, host);
      host.handle({ answers: (answers: Answers) => made.receive(answers) });
      // What was taken is taken, also where closing is the next that its taker does.
      host.onClose(() => made.settleUp());
      return made;
    });
    return new ClientSpace(name, link, options as OpenOptions, {
      observable: (subscribe) => new Observable(subscribe),
      live: (space, tuple, more) => evaluate(host.client, space, tuple, more),
    });
  },
  cli: (tools: CommandTools): Command => spaceCommand(tools, (client, options) => client.use(tupleSpace, options)),
});

/**
 * Coordination by tuples: `client.use(tupleSpace)`, or `client.use(tupleSpace<['job', number]>, { name: 'jobs' })`, whose templates
 * are checked when the program is compiled.
 */
export const tupleSpace: TupleSpaceFactory = definition as TupleSpaceFactory;

type TupleSpaceFactory = (<T extends AnyTuple = any>(options?: SpaceOptions) => Paradigm<TupleSpace<T>>) &
  ParadigmFactory<TupleSpace, [options?: SpaceOptions]>;
