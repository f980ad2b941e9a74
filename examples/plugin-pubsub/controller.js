import { Feed } from './feed.js';

/** Topics, their last values and their subscribers. Values are parcels, which are passed on as they are. */
export function makeController() {
  const topics = new Map();
  const topicOf = (name) => {
    if (typeof name !== 'string' || name === '') throw new TypeError('A topic is a text that is not empty');
    let topic = topics.get(name);
    if (!topic) topics.set(name, (topic = { name, published: 0, last: undefined, feeds: new Set() }));
    return topic;
  };
  return {
    publish({ topic: name, value }) {
      const topic = topicOf(name);
      topic.published++;
      topic.last = value;
      for (const feed of topic.feeds) feed.push(value);
      return topic.feeds.size;
    },
    subscribe({ topic: name }, { signal }) {
      const topic = topicOf(name);
      const feed = new Feed();
      if (topic.last) feed.push(topic.last);
      topic.feeds.add(feed);
      return feed.read(signal, () => topic.feeds.delete(feed));
    },
    topics: () =>
      [...topics.values()].map(({ name, published, feeds }) => ({ name, published, subscribers: feeds.size })),
  };
}
