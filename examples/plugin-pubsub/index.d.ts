import type { ParadigmFactory } from 'tutti';

export interface Topic {
  name: string;
  /** Values so far; the last one is kept for those who come later. */
  published: number;
  subscribers: number;
}

export interface PubSub {
  /** Resolves with the number of subscribers that it went to. */
  publish(topic: string, value: unknown): Promise<number>;
  /** The last value, if there is one, and then each new one. Leaving the loop ends the subscription. */
  subscribe<T = unknown>(topic: string, options?: { signal?: AbortSignal }): AsyncIterable<T>;
  topics(): Promise<Topic[]>;
}

export declare const pubsub: ParadigmFactory<PubSub, []>;

/** Names that code on engines finds once a client uses the paradigm. */
declare global {
  function publish(topic: string, value: unknown): Promise<number>;
  function subscribe<T = unknown>(topic: string): AsyncIterable<T>;
  /** To one engine's subscribers of the topic, over a direct channel; the controller does not see it. */
  function publishTo(engine: number, topic: string, value: unknown): Promise<number>;
}
