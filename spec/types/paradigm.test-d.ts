/** What TypeScript makes of paradigms. Compiled, never run. */
import { type Cluster, defineParadigm } from 'tutti';

declare const client: Cluster;

const counter = defineParadigm({
  name: 'counter',
  version: '1.0.0',
  module: import.meta.url,
  controller: () => {
    let count = 0;
    return { add: (by: number) => (count += by), async [Symbol.asyncDispose]() {} };
  },
  engine: (host) => ({
    globals: { add: (by: number): Promise<number> => host.controller.ask('add', by) },
    id: () => host.id,
  }),
  client: (host, start: number, step?: number) => ({
    add: (by = step ?? start): Promise<number> => host.controller.ask('add', by),
  }),
});

export const api: { add(by?: number): Promise<number> } = client.use(counter, 1, 2);
// @ts-expect-error: it needs a start
client.use(counter);
// @ts-expect-error: a number
client.use(counter, 'one');
// @ts-expect-error: a message has one value
defineParadigm({ name: 'x', version: '1.0.0', client: (host) => host.controller.ask('op', 1, 2) });
