/** Arguments of commands that run a controller: where it listens, whom it lets in, what it loads, what it tells. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HostOptions } from '../core/controller/host-options.ts';
import { UsageError } from '../core/errors.ts';
import type { TlsOptions } from '../core/wire/transport.ts';
import { logOf, logOptions, once, text } from './arguments.ts';

const listenOption = {
  type: 'string' as const,
  requiresArg: true,
  describe: 'Another address to listen on, e.g. tls://0.0.0.0:7000 or ws:127.0.0.1:7001 (repeatable)',
  coerce: (given: string | string[] | undefined) => (given === undefined ? [] : [given].flat()),
};
const originOption = {
  type: 'string' as const,
  requiresArg: true,
  describe: 'Lets web pages of this origin in by ws: and wss:, e.g. https://example.org (repeatable)',
  coerce: (given: string | string[] | undefined) => (given === undefined ? [] : [given].flat()),
};
const pemOption = (option: string, describe: string) => ({
  ...text(option, describe),
  coerce: (given: string | string[] | undefined) => {
    const file = once(option, given);
    if (file === undefined) return undefined;
    let pem: string;
    try {
      pem = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new UsageError(`${option}: ${file} cannot be read: ${(cause as Error).message}`);
    }
    // An empty one would be as good as none, for which the controller makes its own.
    if (!pem.includes('-----BEGIN ')) throw new UsageError(`${option}: ${file} holds no PEM text (-----BEGIN …)`);
    return pem;
  },
});
const tlsOptions = {
  'tls-cert': pemOption(
    '--tls-cert',
    'PEM file: the certificate for tls: and wss: (default: the controller makes one)',
  ),
  'tls-key': pemOption('--tls-key', 'PEM file: the key of --tls-cert'),
  'tls-ca': pemOption('--tls-ca', 'PEM file: the authority that clients are to trust'),
  'tls-mutual': {
    type: 'boolean' as const,
    describe:
      'On tls: ask who dials for a certificate that --tls-ca has signed (default: only with a certificate made here)',
  },
};

/** What a cluster is told of them; undefined when none was given. */
function tlsOf(given: {
  'tls-cert': string | undefined;
  'tls-key': string | undefined;
  'tls-ca': string | undefined;
  'tls-mutual': boolean | undefined;
}): TlsOptions | undefined {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca, 'tls-mutual': mutual } = given;
  return (cert ?? key ?? ca ?? mutual) === undefined ? undefined : { cert, key, ca, mutual };
}

const pluginOption = {
  type: 'string' as const,
  requiresArg: true,
  describe: 'A paradigm that the controller may run: a package, or a module: ./plugin.js (repeatable)',
  coerce: (given: string | string[] | undefined) =>
    given === undefined
      ? []
      : [given].flat().map((plugin) => (/^\.{0,2}[/\\]/.test(plugin) ? path.resolve(plugin) : plugin)),
};
const insecureOption = {
  type: 'boolean' as const,
  default: false,
  describe: 'Listen on addresses that other machines reach, without encryption',
};

const durableOption = text(
  '--durable',
  'Folder, or nats://host:4222/name, for what paradigms keep, which outlives the cluster',
);
const standbyOption = {
  type: 'boolean' as const,
  default: false,
  describe: 'Wait while another controller has what is --durable, and take over when it is gone',
};
const metricsOption = text('--metrics', 'Serve metrics for Prometheus at HOST:PORT, e.g. 127.0.0.1:9464');

/** For `yargs.options(…)`. */
export const serverOptions = {
  listen: listenOption,
  origin: originOption,
  ...tlsOptions,
  insecure: insecureOption,
  plugin: pluginOption,
  durable: durableOption,
  standby: standbyOption,
  metrics: metricsOption,
  ...logOptions,
};

type Given = Parameters<typeof tlsOf>[0] &
  Parameters<typeof logOf>[0] & {
    listen: string[] | undefined;
    origin: string[] | undefined;
    insecure: boolean;
    plugin: string[] | undefined;
    durable: string | undefined;
    standby: boolean;
    metrics: string | undefined;
  };

/** What a cluster is told of them. */
export function serverOf(given: Given) {
  const { listen, origin: origins, insecure, plugin: plugins, durable, standby, metrics } = given;
  if (standby && durable === undefined)
    throw new UsageError(
      '--standby takes over what is --durable; give that too, as the controller that is active has it',
    );
  const server = {
    listen,
    origins,
    tls: tlsOf(given),
    insecure,
    plugins,
    durable,
    standby,
    metrics,
    log: logOf(given),
  };
  return server satisfies HostOptions;
}
