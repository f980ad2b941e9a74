/** The cluster that a command works with: one that runs, or one of its own. */
import { findCluster } from '../core/client/connect.ts';
import {
  type Client,
  type ClientOptions,
  ClusterNotFoundError,
  cluster,
  connect,
  type Launcher,
  UsageError,
} from '../core/index.ts';
import { type LogOptions, levelOfEnvironment } from '../core/log-options.ts';
import '../transports/builtin.ts';

export interface Where {
  /** A cluster of this command's own, with so many engines. */
  engines?: number | undefined;
  kind?: string | undefined;
  /** Of a paradigm's command, which says itself where its engines are. */
  launcher?: Launcher | undefined;
  /** Of its own cluster; by default it says nothing, since the command tells of what goes wrong itself. */
  log?: LogOptions | undefined;
  /** One that runs. */
  name?: string | undefined;
}

export type Output = NonNullable<ClientOptions['output']>;

/** Joins a cluster that runs. */
export function attach(name = 'default', signal?: AbortSignal, output: Output = 'ignore'): Promise<Client> {
  return connect(name, { output, ...(signal && { signal }) });
}

/** Does the command start engines for itself? Throws UsageError for what does not go together. */
export function isOwn({ engines, kind, name, log }: Where): boolean {
  if (engines !== undefined && name !== undefined)
    throw new UsageError('-n starts engines for this command alone, --name uses a cluster that runs; give one of them');
  const own = engines !== undefined || (name === undefined && !runs('default'));
  if (!own && kind !== undefined)
    throw new UsageError('--kind is for engines of this command alone; give their number too: -n 4');
  if (!own && log !== undefined)
    throw new UsageError(
      'A cluster that runs has its log already; for engines of this command alone give their number: -n 4',
    );
  return own;
}

/** For commands that run code: without a running cluster, and none asked for by name, they start their own. Closing ends that. */
export async function openSession(where: Where, signal: AbortSignal, output: Output = 'ignore'): Promise<Client> {
  const client = isOwn(where) ? await openOwn(where, output) : await attach(where.name, signal, output);
  if (!signal.aborted) return client;
  await client.close();
  throw signal.reason;
}

export async function openOwn({ engines, kind, launcher, log }: Where, output: Output): Promise<Client> {
  await import('../paradigms/builtin.ts'); // for controllers alone, and most commands have none
  return cluster({
    output,
    log: log ?? levelOfEnvironment() ?? 'silent',
    ...(engines !== undefined && { engines }),
    ...(kind !== undefined && { kind: kind as 'process' }),
    ...(launcher && { launcher }),
  });
}

function runs(name: string): boolean {
  try {
    findCluster(name);
    return true;
  } catch (error) {
    if (error instanceof ClusterNotFoundError) return false;
    throw error;
  }
}
