/** Finding a cluster: by name, connection file, URL or connection record. */
import type { ConnectionInfo } from '../cluster-info.ts';
import { connectionFile, isAlive, readConnectionFile, removeDeadCluster } from '../connection-file.ts';
import { ClusterNotFoundError, RefusedError, TransportError, UsageError } from '../errors.ts';
import { type Client, type ClientOptions, openClient } from './client.ts';
import { checkOptions } from './options.ts';

/**
 * Joins a running cluster. `where`: a name (default `'default'`), the path of a connection file, or a URL (its token
 * then comes from the environment variable TUTTI_TOKEN).
 * @throws ClusterNotFoundError when there is none, RefusedError when it does not let us in.
 */
export async function connect(
  where: string | ConnectionInfo = 'default',
  options: ClientOptions = {},
): Promise<Client> {
  const isInfo = typeof where === 'object' && where !== null && Array.isArray(where.urls);
  if (typeof where !== 'string' && !isInfo) {
    throw new UsageError("connect takes a cluster's name, connection file or URL, or a connection record");
  }
  checkOptions('connect', options, ['output', 'window', 'signal', 'observe']);
  return openClient(typeof where === 'string' ? findCluster(where) : where, options).catch((error) => {
    if (!(error instanceof TransportError) || typeof where !== 'string') throw error;
    throw new ClusterNotFoundError(`Cluster '${where}' does not answer: ${error.message}`, { cause: error });
  });
}

/** What a name, path or URL stands for. */
export function findCluster(where: string): ConnectionInfo {
  if (/^[a-z+]+:/i.test(where)) {
    const token = process.env.TUTTI_TOKEN;
    if (!token)
      throw new RefusedError(
        `To reach a cluster by its URL alone, put its token into the environment variable TUTTI_TOKEN`,
      );
    return { name: where, urls: [where], token };
  }
  const file = /[/\\]|\.json$/.test(where) ? where : connectionFile(where);
  const info = (() => {
    try {
      return readConnectionFile(file);
    } catch (error) {
      if (!(error instanceof ClusterNotFoundError) || file === where) throw error;
      throw new ClusterNotFoundError(
        `No cluster named '${where}' is running here; start one: tutti start --name ${where} --detach`,
        { cause: error },
      );
    }
  })();
  if (isAlive(file)) return info;
  if (file !== where) removeDeadCluster(file);
  throw new ClusterNotFoundError(
    `Cluster '${info.name}' has ended without stopping (its controller, pid ${info.pid}, is gone); start it again`,
  );
}
