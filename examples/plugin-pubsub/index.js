import { defineParadigm } from 'tutti';
import { commands } from './cli.js';
import { makeController } from './controller.js';

export const pubsub = defineParadigm({
  name: 'pubsub',
  version: '1.0.0',
  module: import.meta.url,
  controller: makeController,
  engine: './engine.js', // a module of its own, so that engines get nothing else
  client: (host) => ({
    // In a parcel, the value passes the controller unread.
    publish: (topic, value) => host.controller.ask('publish', { topic, value: host.parcel(value) }),
    async *subscribe(topic, { signal } = {}) {
      const parcels = host.controller.stream('subscribe', { topic }, signal && { signal });
      for await (const parcel of parcels) yield host.open(parcel);
    },
    topics: () => host.controller.ask('topics'),
  }),
  cli: (tools) => commands(tools, pubsub),
});
