/** Where and with what an engine joins a cluster. */
import { findCluster } from '../core/client/connect.ts';
import { RefusedError } from '../core/errors.ts';
import { parseToken } from '../core/wire/handshake.ts';

export interface Door {
  name: string;
  urls: string[];
  token: string;
}

/** @param where a name, a connection file, or a URL */
export function findDoor(where: string): Door {
  if (!/^[a-z+]+:/i.test(where)) {
    const { name, urls, engineToken } = findCluster(where);
    if (engineToken) return { name: `'${name}'`, urls: [...urls], token: engineToken };
    throw new RefusedError(
      `The connection file of '${name}' has no token for engines; ask the cluster's owner for one`,
    );
  }
  const token = process.env.TUTTI_ENGINE_TOKEN ?? process.env.TUTTI_TOKEN;
  if (!token)
    throw new RefusedError(
      `To join ${where} by its URL alone, put the cluster's engine token into the environment variable TUTTI_ENGINE_TOKEN`,
    );
  parseToken(token); // a malformed one is better told here
  return { name: `at ${where}`, urls: [where], token };
}
