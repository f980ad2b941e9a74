/** A certificate that a controller makes for itself when it is to listen with encryption and was given none. */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { TlsOptions } from '../wire/transport.ts';
import { x509 } from './x509.ts';

const DAY = 86_400_000;
/** Clocks differ; a certificate from a machine that is ahead is to be good at once. */
const SKEW = DAY;
const LIFE = 365 * DAY;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** For these hosts, for this machine's name, and for the loopback addresses. Whoever trusts it trusts this one key alone. */
export async function selfSigned(hosts: readonly string[]): Promise<Required<Pick<TlsOptions, 'cert' | 'key'>>> {
  const library = await x509();
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const names = new Set([...hosts, 'localhost', hostname(), '127.0.0.1', '::1']);
  const certificate = await library.X509CertificateGenerator.createSelfSigned({
    // A name of its own: two authorities of one name cannot be trusted side by side.
    name: `CN=tutti controller ${randomBytes(6).toString('hex')}`,
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    notBefore: new Date(Date.now() - SKEW),
    notAfter: new Date(Date.now() + LIFE),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new library.BasicConstraintsExtension(false, undefined, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
      new library.ExtendedKeyUsageExtension([library.ExtendedKeyUsage.serverAuth]),
      new library.SubjectAlternativeNameExtension(
        [...names].map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: library.PemConverter.encode(key, 'PRIVATE KEY') };
}
