/** An authority of a cluster: it signs the certificates of its listeners, its members and its engines, and nobody else's. */
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { x509 } from './x509.ts';

const DAY = 86_400_000;
/** Clocks differ; a certificate from a machine that is ahead is to be good at once. */
const SKEW = DAY;
const LIFE = 365 * DAY;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** PEM: its own certificate. */
  readonly certificate: string;
  /** Of a new pair of keys. `hosts`: what it may listen as; without any it is only good for who dials. */
  issue(name: string, hosts?: readonly string[]): Promise<Identity>;
  /** Of a key whose other half stays where it is. @param publicKey PEM */
  sign(publicKey: string, name: string, hosts?: readonly string[]): Promise<string>;
  /** For whoever trusts this one alone: a certificate by which what its successor signs is good as well. */
  vouchFor(successor: Authority): Promise<string>;
}

/** SHA-256, as browsers and openssl show it. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256;
}

export async function newAuthority(): Promise<Authority> {
  const library = await x509();
  const keys = await keyPair();
  const { KeyUsageFlags, ExtendedKeyUsage } = library;
  const common = () => ({
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    notBefore: new Date(Date.now() - SKEW),
    notAfter: new Date(Date.now() + LIFE),
    signingAlgorithm: ALGORITHM,
  });
  const signs = () => new library.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true);
  const root = await library.X509CertificateGenerator.createSelfSigned({
    ...common(),
    // A name of its own: two authorities of one name cannot be trusted side by side.
    name: `CN=tutti cluster ${randomBytes(6).toString('hex')}`,
    keys,
    extensions: [
      // One more authority may come between it and what is signed: its successor.
      new library.BasicConstraintsExtension(true, 1, true),
      signs(),
    ],
  });
  const certificate = root.toString('pem');

  async function signed(publicKey: webcrypto.CryptoKey, name: string, hosts: readonly string[]): Promise<string> {
    const uses = [ExtendedKeyUsage.clientAuth, ...(hosts.length ? [ExtendedKeyUsage.serverAuth] : [])];
    const leaf = await library.X509CertificateGenerator.create({
      ...common(),
      subject: `CN=${name}`,
      issuer: root.subject,
      publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new library.BasicConstraintsExtension(false, undefined, true),
        new library.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new library.ExtendedKeyUsageExtension(uses),
        ...(hosts.length ? [alternativeNames(hosts)] : []),
      ],
    });
    return leaf.toString('pem');
  }

  function alternativeNames(hosts: readonly string[]) {
    return new library.SubjectAlternativeNameExtension(
      [...new Set(hosts)].map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
    );
  }

  return {
    certificate,
    async issue(name, hosts = []) {
      const own = await keyPair();
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      const key = library.PemConverter.encode(pkcs8, 'PRIVATE KEY');
      return { cert: await signed(own.publicKey, name, hosts), key };
    },
    async sign(publicKey, name, hosts = []) {
      const [spki] = library.PemConverter.decode(publicKey);
      return signed(await webcrypto.subtle.importKey('spki', spki!, ALGORITHM, true, ['verify']), name, hosts);
    },
    async vouchFor(successor) {
      const { subject, publicKey } = new library.X509Certificate(successor.certificate);
      const bridge = await library.X509CertificateGenerator.create({
        ...common(),
        subject,
        issuer: root.subject,
        publicKey,
        signingKey: keys.privateKey,
        extensions: [new library.BasicConstraintsExtension(true, 0, true), signs()],
      });
      return bridge.toString('pem');
    },
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}
