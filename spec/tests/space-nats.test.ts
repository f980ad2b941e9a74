/** The tuple space by way of NATS, and with its tuples in JetStream. */
import path from 'node:path';
import { cluster } from 'tutti';
import { tupleSpace } from 'tutti/paradigms';
import { spaceSuite } from './space-suite.ts';
import { sharedNats, withNats } from './support/nats.ts';
import { shared, visitor } from './support/shared.ts';

const plugins = [path.resolve(import.meta.dirname, '../../dist/paradigms/index.js')];

withNats('over NATS, with a controller of its own', () => {
  const server = sharedNats();
  const client = shared(() =>
    visitor({ engines: 0, controller: 'process', plugins, listen: [server().url()] }, ({ connection }) => ({
      ...connection,
      urls: connection.urls.filter((url) => url.startsWith('nats:')),
    })),
  );
  spaceSuite({
    near: true,
    space: async (name, options = {}) => (await client()).use(tupleSpace, { name, ...options }),
  });
});

withNats('durable in JetStream, after a restart', () => {
  const server = sharedNats({ jetstream: true });
  const client = shared(async () => {
    const durable = server().url();
    const former = await cluster({ engines: 0, durable });
    await former.use(tupleSpace, { name: 'former', durable: true }).out(['left']);
    await former.close();
    return cluster({ engines: 0, durable });
  });
  const space = async (name: string, options = {}) =>
    (await client()).use(tupleSpace, { name, ...options, durable: true });
  spaceSuite({ near: true, space });
});
