/** URLs of NATS: which servers, and which subjects a cluster has on them. */
import { UsageError } from '../../core/errors.ts';
import { isLoopback } from '../../core/wire/loopback.ts';
import type { Exposure } from '../../core/wire/transport.ts';

const PORT = '4222';
const NAME = /^[\w-]{1,64}$/;
const OPTIONS = ['servers', 'tls', 'replicas'];

export interface NatsAddress {
  /** `host:port` of the servers that the URL names; any of one NATS cluster will do. */
  readonly servers: readonly string[];
  /** Is TLS asked for? A server may demand it anyway. */
  readonly tls: boolean;
  /** Copies that a stream has in a NATS cluster; undefined: as many as are usual there. */
  readonly replicas: number | undefined;
  /** Of the tutti cluster. */
  readonly name: string;
  /** The URL as it was given. */
  readonly text: string;
}

/** Understands `nats://host:4222/name`. The name may have several parts: an engine listens beneath the name of its cluster. */
export function natsAddress(url: URL): NatsAddress {
  const text = url.href;
  const parts = url.pathname.split('/').slice(1);
  if (!url.hostname || !parts.length || !parts.every((part) => NAME.test(part)) || url.hash) {
    throw new UsageError(
      `'${text}' names no cluster on a NATS server; write nats://host:4222/name, with a name of letters, digits, '_' and '-'`,
    );
  }
  const { searchParams: query } = url;
  for (const option of query.keys()) {
    if (!OPTIONS.includes(option))
      throw new UsageError(`'${text}' has the option '${option}'; a nats: URL takes ${OPTIONS.join(', ')}`);
  }
  const more = (query.get('servers') ?? '').split(',').filter(Boolean);
  const replicas = query.get('replicas');
  if (replicas !== null && !/^[1-5]$/.test(replicas))
    throw new UsageError(`'${text}': replicas is a number from 1 to 5`);
  return {
    servers: [...new Set([`${url.hostname}:${url.port || PORT}`, ...more])],
    tls: query.has('tls') || Boolean(process.env.NATS_CA || process.env.NATS_CERT),
    replicas: replicas === null ? undefined : Number(replicas),
    name: parts.join('.'),
    text,
  };
}

/** Subjects begin with what is done, so that no name can be taken for another's part. An account needs `tutti.>`. */
export function subjectsOf({ name }: Pick<NatsAddress, 'name'>) {
  return {
    /** Where listeners are asked for a connection, and asked whether they are there. */
    dial: `tutti.dial.${name}`,
    /** Where everybody is told that another controller has taken over. */
    term: `tutti.term.${name}`,
    /** Where one end of one connection listens. */
    end: (id: string): string => `tutti.to.${name}.${id}`,
  };
}

/** Encrypted as far as the NATS server; that is its own business, and not one of the controller's certificate. */
export function natsExposure(url: URL): Exposure {
  const { servers, tls } = natsAddress(url);
  return tls || servers.every((server) => isLoopback(server.replace(/:\d+$/, ''))) ? 'private' : 'open';
}
