/** Names that are there when a console starts. */
import * as tutti from '../../core/index.ts';
import type { Console } from './console.ts';

/** Getters, since the client changes when the cluster was gone. */
export function preloaded(console: Console) {
  return {
    get client() {
      return console.client;
    },
    get all() {
      return console.client.all;
    },
    get px() {
      const { view } = console;
      return view.px.bind(view);
    },
    get farm() {
      return farmOf(console);
    },
    get _() {
      return console.last;
    },
    ref: tutti.ref,
    /** All that the package exports. */
    tutti,
  };
}

const farms = new WeakMap<object, unknown>();
let taskFarm: unknown;

/** The paradigms are loaded when the console starts, since a getter cannot wait. */
export async function loadParadigms(): Promise<void> {
  ({ taskFarm } = (await import('../../paradigms/index.ts')) as { taskFarm?: unknown });
}

function farmOf({ client }: Console): unknown {
  if (!taskFarm) throw new tutti.UsageError('The task farm is not part of this build');
  let farm = farms.get(client);
  if (!farm) farms.set(client, (farm = client.use(taskFarm as never)));
  return farm;
}
