/** What a controller has to see to before others on the network reach it. */
import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { UsageError } from '../errors.ts';
import { endpointUrl } from '../wire/endpoint.ts';
import { exposure, type TlsOptions } from '../wire/transport.ts';
import { selfSigned } from './certificate.ts';

/** A listener that others can reach, and that does not encrypt, would carry code and values in the clear. */
export function checkExposure(address: string, insecure: boolean): void {
  if (insecure || exposure(address) !== 'open') return;
  const instead = /^nats:/i.test(address) ? 'add ?tls' : 'use tls: or wss:, listen on 127.0.0.1';
  throw new UsageError(
    `${address} can be reached from other machines, without encryption; ${instead}, or say 'insecure' if the network is yours alone`,
  );
}

/** Certificate and key for these listeners, and the authority that vouches for them where clients would know of none. */
export async function tlsIdentity(addresses: readonly string[], given: TlsOptions = {}): Promise<TlsOptions> {
  const { cert, key, ca } = given;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('tls takes cert and key together, or neither: the controller then makes a certificate');
  const encrypted = addresses.filter((address) => exposure(address) === 'encrypted');
  if (encrypted.length === 0) return {};
  if (cert !== undefined) return { ...given, ca: ca ?? (vouchesForItself(cert) ? cert : undefined) };
  if (ca !== undefined) throw new UsageError('tls: { ca } says who signed the certificate; give cert and key as well');
  const own = await selfSigned(encrypted.map(hostOf));
  return { ...own, ca: own.cert };
}

function vouchesForItself(cert: string): boolean {
  try {
    const parsed = new X509Certificate(cert);
    return parsed.issuer === parsed.subject && parsed.verify(parsed.publicKey);
  } catch {
    return false; // the listener says what is wrong with it
  }
}

function hostOf(address: string): string {
  return new URL(endpointUrl(address)).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** How clients dial it. "Every address" is none to dial: this machine's name is, and for those on it the loopback address. */
export function publicUrls(url: string): string[] {
  const [, scheme, host, rest] = /^(\w+:\/\/)(0\.0\.0\.0|\[::\])(:.*)$/.exec(url) ?? [];
  if (!scheme) return [url];
  return [hostname(), host === '[::]' ? '[::1]' : '127.0.0.1'].map((name) => `${scheme}${name}${rest}`);
}
