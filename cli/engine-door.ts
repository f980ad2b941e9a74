/** Where and with what an engine joins a cluster. */
import { findCluster, isAddress, trusted } from '../core/client/connect.ts';
import { RefusedError } from '../core/errors.ts';
import { endpointUrl } from '../core/wire/endpoint.ts';
import { parseToken } from '../core/wire/handshake.ts';

export interface Door {
  name: string;
  urls: string[];
  token: string;
  ca?: string;
  cert?: string;
  key?: string;
}

/** @param where a name, a connection file, a URL or an endpoint string */
export function findDoor(where: string): Door {
  if (!isAddress(where)) {
    const { name, urls, engineToken, ca, cert, key } = findCluster(where);
    if (engineToken)
      return {
        name: `'${name}'`,
        urls: [...urls],
        token: engineToken,
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      };
    throw new RefusedError(
      `The connection file of '${name}' has no token for engines; ask the cluster's owner for one`,
    );
  }
  const url = endpointUrl(where);
  const token = process.env.TUTTI_ENGINE_TOKEN ?? process.env.TUTTI_TOKEN;
  if (!token)
    throw new RefusedError(
      `To join ${url} by its URL alone, put the cluster's engine token into the environment variable TUTTI_ENGINE_TOKEN`,
    );
  parseToken(token); // a malformed one is better told here
  return { name: `at ${url}`, urls: [url], token, ...trusted() };
}
