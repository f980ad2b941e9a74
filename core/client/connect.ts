/** Finding a cluster: by name, connection file, URL or connection record. */
import { readFileSync } from 'node:fs';
import type { ConnectionInfo } from '../cluster-info.ts';
import { connectionFile, isAlive, listClusters, readConnectionFile, removeDeadCluster } from '../connection-file.ts';
import { ClusterNotFoundError, RefusedError, TransportError, UsageError } from '../errors.ts';
import { endpointUrl } from '../wire/endpoint.ts';
import { checkAddress } from '../wire/transport.ts';
import { type Client, type ClientOptions, connectOptions, openClient } from './client.ts';
import { checkOptions, flag, type Kinds, texts, textsByName } from './options.ts';

const OPTIONS: Kinds = { ...connectOptions, observe: flag, tls: textsByName('cert', 'key', 'ca', 'serverName') };

/**
 * Joins a running cluster. `where`: a name (default `'default'`), the path of a connection file, or a URL or endpoint
 * string (its token then comes from the environment variable TUTTI_TOKEN, and an authority to trust from the file TUTTI_CA).
 * @throws ClusterNotFoundError when there is none, RefusedError when it does not let us in.
 */
export async function connect(
  where: string | ConnectionInfo = 'default',
  options: ClientOptions = {},
): Promise<Client> {
  if (typeof where !== 'string' && !isRecord(where)) {
    throw new UsageError(
      "connect takes a cluster's name, connection file or URL, or a connection record: { urls, token }",
    );
  }
  checkOptions('connect', options, OPTIONS);
  return openClient(typeof where === 'string' ? findCluster(where) : where, options).catch((error) => {
    if (!(error instanceof TransportError) || typeof where !== 'string') throw error;
    throw new ClusterNotFoundError(`Cluster '${where}' does not answer: ${error.message}`, { cause: error });
  });
}

function isRecord(where: ConnectionInfo | null): boolean {
  const { urls, token } = where ?? {};
  return texts.test(urls) && urls!.length > 0 && typeof token === 'string';
}

/** Is it a URL or an endpoint string, rather than a name or a file? */
export function isAddress(where: string): boolean {
  return /^[a-z][a-z\d+.-]+:/i.test(where);
}

/** What the environment says of certificates, for addresses that come without a connection file: TUTTI_CA, TUTTI_CERT, TUTTI_KEY. */
export function trusted(): { ca?: string; cert?: string; key?: string } {
  const given: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const variable = `TUTTI_${name.toUpperCase()}`;
    const file = process.env[variable];
    if (!file) continue;
    try {
      given[name] = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new UsageError(`${variable} names ${file}, which cannot be read: ${(cause as Error).message}`, { cause });
    }
  }
  return given;
}

/** What a name, path, URL or endpoint string stands for. */
export function findCluster(where: string): ConnectionInfo {
  if (isAddress(where)) {
    checkAddress(where);
    const url = endpointUrl(where);
    const token = process.env.TUTTI_TOKEN;
    if (!token)
      throw new RefusedError(
        `To reach a cluster by its URL alone, put its token into the environment variable TUTTI_TOKEN`,
      );
    return { name: url, urls: [url], token, ...trusted() };
  }
  const file = /[/\\]|\.json$/.test(where) ? where : connectionFile(where);
  const info = (() => {
    try {
      return readConnectionFile(file);
    } catch (error) {
      if (!(error instanceof ClusterNotFoundError) || file === where) throw error;
      const others = listClusters().map(({ name }) => name);
      const known = others.length ? `, but ${others.join(', ')}` : '';
      throw new ClusterNotFoundError(
        `No cluster named '${where}' is running here${known}; start one: tutti start --name ${where} --detach`,
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
