/** What a controller has to see to before others on the network reach it. */
import { X509Certificate } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { UsageError } from '../errors.ts';
import { endpointUrl } from '../wire/endpoint.ts';
import { exposure, type TlsOptions } from '../wire/transport.ts';
import type { Authorities } from './authorities.ts';
import { fingerprintOf } from './authority.ts';

/** A listener that others can reach, and that does not encrypt, would carry code and values in the clear. */
export function checkExposure(address: string, insecure: boolean): void {
  if (insecure || exposure(address) !== 'open') return;
  const instead = /^nats:/i.test(address) ? 'add ?tls' : 'use tls: or wss:, listen on 127.0.0.1';
  throw new UsageError(
    `${address} can be reached from other machines, without encryption; ${instead}, or say 'insecure' if the network is yours alone`,
  );
}

/** What dialling takes beside an address and a token; empty where every system knows the authority. */
export interface Credentials {
  ca?: string;
  fingerprint?: string;
  cert?: string;
  key?: string;
}

/** Certificates of a controller's listeners, and of those who dial them. */
export interface Certification {
  readonly listener: TlsOptions;
  readonly members: Credentials;
  /** They are the user's, and not ours to replace. */
  readonly given: boolean;
}

const NOTHING: Certification = { listener: {}, members: {}, given: false };

/** @param authorities the cluster's own, for who was given no certificate */
export async function certify(
  addresses: readonly string[],
  given: TlsOptions = {},
  authorities: Authorities,
): Promise<Certification> {
  const { cert, key, ca, mutual = cert === undefined } = given;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('tls takes cert and key together, or neither: the controller then makes a certificate');
  const encrypted = addresses.filter((address) => exposure(address) === 'encrypted');
  if (encrypted.length === 0) return NOTHING;
  if (cert !== undefined) {
    const known = ca ?? (vouchesForItself(cert) ? cert : undefined);
    if (mutual && ca === undefined)
      throw new UsageError(
        'tls: { mutual } asks who dials for a certificate; ca says which authority is to have signed it',
      );
    return {
      listener: { cert, key, ca: known, mutual },
      members: known === undefined ? {} : vouched(known),
      given: true,
    };
  }
  if (ca !== undefined) throw new UsageError('tls: { ca } says who signed the certificate; give cert and key as well');
  const hosts = [...encrypted.flatMap(hostsOf), 'localhost', hostname(), '127.0.0.1', '::1'];
  const members = mutual ? await authorities.issue('tutti member') : {};
  return {
    listener: {
      ...(await authorities.issue('tutti controller', hosts)),
      ca: await authorities.trusted(),
      mutual,
    },
    members: { ...vouched(await authorities.certificate()), ...members },
    given: false,
  };
}

function vouched(ca: string): Credentials {
  try {
    return { ca, fingerprint: fingerprintOf(ca) };
  } catch {
    return { ca }; // the listener says what is wrong with it
  }
}

function vouchesForItself(cert: string): boolean {
  try {
    const parsed = new X509Certificate(cert);
    return parsed.issuer === parsed.subject && parsed.verify(parsed.publicKey);
  } catch {
    return false; // the listener says what is wrong with it
  }
}

/** What others may call it. */
function hostsOf(address: string): string[] {
  const host = new URL(endpointUrl(address)).hostname.replace(/^\[(.*)\]$/, '$1');
  return host === '0.0.0.0' || host === '::' ? interfaceAddresses() : [host];
}

/** Of this machine, as others reach it. */
function interfaceAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  return addresses.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address);
}

/**
 * How it is dialled. "Every address" is none to dial: this machine's name is, its addresses are, and for those on it the loopback
 * address.
 */
export function publicUrls(url: string): string[] {
  const [, scheme, host, rest] = /^(\w+:\/\/)(0\.0\.0\.0|\[::\])(:.*)$/.exec(url) ?? [];
  if (!scheme) return [url];
  const v6 = host === '[::]';
  const addresses = interfaceAddresses().filter((address) => v6 || !address.includes(':'));
  return [hostname(), ...addresses, v6 ? '::1' : '127.0.0.1'].map(
    (name) => `${scheme}${name.includes(':') ? `[${name}]` : name}${rest}`,
  );
}
