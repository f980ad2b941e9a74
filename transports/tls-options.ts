/** What node:tls wants, from what the contract says. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { TransportError } from '../core/errors.ts';
import type { TlsOptions } from '../core/wire/transport.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const OLDEST = 'TLSv1.2';

/** @param text the listener's URL, for what is said when something is missing. */
export function listening({ cert, key, ca, mutual }: TlsOptions = {}, text: string): SecureContextOptions {
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'certificate' : 'key';
    throw new TransportError(
      `Cannot listen on ${text}: no ${missing} was given; say tls: { cert, key } (a cluster makes its own when told neither)`,
    );
  }
  const trusted = authorities(ca, `listen on ${text}`);
  return { cert, key, minVersion: OLDEST, ...(mutual && { ca: trusted }) };
}

export function dialling(
  { cert, key, ca, serverName }: TlsOptions = {},
  text: string,
): SecureContextOptions & { servername?: string } {
  return {
    minVersion: OLDEST,
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca: authorities(ca, `dial ${text}`) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** What is wrong with the certificate of somebody who has dialled a listener that asks for one. */
export function objectionTo(accepted: TLSSocket): string | undefined {
  if (accepted.authorized) return undefined;
  // Node says a code here, as text, whatever its type promises.
  const code = String(accepted.authorizationError ?? '');
  const shown = Object.keys(accepted.getPeerCertificate()).length > 0;
  if (!shown)
    return "this listener asks for a certificate of the cluster, and none was shown; use the cluster's connection file, or name certificate and key in TUTTI_CERT and TUTTI_KEY";
  if (code === 'CERT_HAS_EXPIRED')
    return 'the certificate that was shown has expired; get a new one, and check the clocks';
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate that was shown is not valid yet; check the clocks';
  return `the certificate that was shown is not signed by an authority that this listener trusts (${code})`;
}

/** What a dialler tells the listener that it looks for; an IP address may not be told. */
export function wantedName(host: string): { servername?: string } {
  return isIP(host) ? {} : { servername: host };
}

/** One by one: Node takes an authority that it cannot read for none at all, without a word, and overlooks those behind it. */
function authorities(ca: string | undefined, doing: string): string[] {
  if (ca === undefined) return [];
  try {
    const blocks = ca.match(BLOCK);
    if (!blocks) throw new Error('it holds no -----BEGIN CERTIFICATE-----');
    for (const block of blocks) new X509Certificate(block);
    return [...blocks];
  } catch (cause) {
    throw new TransportError(
      `Cannot ${doing}: the authority's certificate (ca) is not PEM text: ${(cause as Error).message}`,
      { cause },
    );
  }
}
