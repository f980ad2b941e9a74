import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cluster } from 'tutti';
import { paradigmCompliance } from 'tutti/compliance';
import { pubsub } from 'tutti-pubsub';

let topics = 0;

paradigmCompliance(
  {
    paradigm: pubsub,
    plugin: 'tutti-pubsub',
    directory: fileURLToPath(new URL('.', import.meta.url)),
    async exercise(api, client) {
      const topic = `topic-${process.pid}-${++topics}`;
      await api.publish(topic, { kept: new Float64Array([1, 2]) });
      const values = api.subscribe(topic)[Symbol.asyncIterator]();
      assert.deepEqual((await values.next()).value, { kept: new Float64Array([1, 2]) });
      await client.all.apply((name) => publish(name, engine.id), topic);
      const ids = client.engines.filter(({ state }) => state !== 'lost').map(({ id }) => id);
      const heard = [];
      while (heard.length < ids.length) heard.push((await values.next()).value);
      assert.deepEqual(heard.sort(), ids);
      await values.return();
    },
    async endless(api) {
      for await (const value of api.subscribe('silence')) assert.fail(`silence was broken: ${value}`);
    },
    failure: { provoke: (api) => api.publish('', 0), name: 'TypeError' },
    bundleLimit: 4096,
  },
  { test },
);

test('engines subscribe, and publish to each other past the controller', async () => {
  const client = await cluster({ engines: 2, output: 'ignore' });
  try {
    const api = client.use(pubsub);
    const heard = client.engine(0).apply(async () => {
      for await (const value of subscribe('news')) if (value !== 'old') return value;
    });
    await api.publish('news', 'old');
    const delivered = await client.engine(1).apply(async () => {
      for (;;) {
        const there = await publishTo(0, 'news', new Uint8Array(3));
        if (there) return there;
      }
    });
    assert.equal(delivered, 1);
    assert.deepEqual(await heard, new Uint8Array(3));
    assert.deepEqual(
      (await api.topics()).map(({ name, published }) => [name, published]),
      [['news', 1]],
    );
  } finally {
    await client.close();
  }
});
