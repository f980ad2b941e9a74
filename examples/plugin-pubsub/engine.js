import { Feed } from './feed.js';

/** The same for code on engines, and `publishTo` from engine to engine. */
export default function makeEngine(host) {
  const local = new Map();
  return {
    /** From another engine (or this one): to subscribers here. */
    deliver({ topic, value }) {
      const feeds = local.get(topic) ?? [];
      for (const feed of feeds) feed.push(value);
      return feeds.size ?? 0;
    },
    globals: {
      publish: (topic, value) => host.controller.ask('publish', { topic, value: host.parcel(value) }),
      publishTo: (engine, topic, value) => host.engine(engine).ask('deliver', { topic, value }),
      async *subscribe(topic) {
        const feed = new Feed();
        const ending = new AbortController();
        if (!local.has(topic)) local.set(topic, new Set());
        local.get(topic).add(feed);
        const fromController = async () => {
          const parcels = host.controller.stream('subscribe', { topic }, { signal: ending.signal });
          for await (const parcel of parcels) feed.push(await host.open(parcel));
        };
        const over = fromController().finally(() => ending.abort());
        over.catch(() => {});
        try {
          yield* feed.read(ending.signal);
          await over; // what ended it
        } finally {
          ending.abort();
          local.get(topic).delete(feed);
        }
      },
    },
  };
}
