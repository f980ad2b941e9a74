import { type Client, type ClientOptions, connectOptions, openClient } from '../core/client/client.ts';
import { checkOptions } from '../core/client/options.ts';
import { ClusterNotFoundError, TransportError, UsageError } from '../core/errors.ts';

/** Where a cluster is, and what lets the page in. Holds a secret: a page should get it from its own server. */
export interface PageConnection {
  /** `ws://host:port` or, for pages that came by https, `wss://host:port`. */
  url?: string;
  /** Several, best first. */
  urls?: readonly string[];
  /** `id.secret`, as in the cluster's connection file. */
  token: string;
}

export type PageOptions = Pick<ClientOptions, 'output' | 'window' | 'signal'>;

/**
 * Joins a running cluster over a WebSocket.
 * @throws ClusterNotFoundError when nobody answers, RefusedError when the cluster does not let us in.
 */
export async function connect(where: PageConnection, options: PageOptions = {}): Promise<Client> {
  const { url, urls = url === undefined ? [] : [url], token } = where ?? {};
  if (!Array.isArray(urls) || urls.length === 0 || typeof token !== 'string') {
    throw new UsageError('In a browser, connect takes the address and the token: connect({ url, token })');
  }
  checkOptions('connect', options, connectOptions);
  return openClient({ name: urls[0]!, urls, token }, options).catch((error) => {
    if (!(error instanceof TransportError)) throw error;
    throw new ClusterNotFoundError(`The cluster at ${urls.join(', ')} does not answer: ${error.message}`, {
      cause: error,
    });
  });
}
