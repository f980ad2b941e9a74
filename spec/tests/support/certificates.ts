/** Certificates for tests: authorities, what they sign, and transports that know them. */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { x509 as load } from '../../../core/controller/x509.ts';
import type { TlsOptions, Transport } from '../../../core/wire/transport.ts';

const x509 = await load();
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;

export interface Authority {
  /** Its own certificate. */
  readonly ca: string;
  sign(names?: readonly string[], from?: number, until?: number): Promise<{ cert: string; key: string }>;
}

/** An authority that nobody trusts but for its `ca`. `from` and `until` are ms from now. */
export async function authority(): Promise<Authority> {
  const keys = await keyPair();
  // Authorities of one name are one to OpenSSL, which asks only the first.
  const name = `CN=authority ${randomBytes(4).toString('hex')}`;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(name, -HOUR, HOUR),
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  return {
    ca: root.toString('pem'),
    async sign(names = ['127.0.0.1', 'localhost'], from = -HOUR, until = HOUR) {
      const own = await keyPair();
      const certificate = await x509.X509CertificateGenerator.create({
        ...common('CN=listener', from, until),
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
          ),
        ],
      });
      const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
    },
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function common(subject: string, from: number, until: number) {
  return {
    subject,
    name: subject,
    serialNumber: `01${randomBytes(8).toString('hex')}`,
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + until),
    signingAlgorithm: ALGORITHM,
  };
}

/** The same transport, whose listeners and diallers have these options. */
export function withTls(transport: Transport, listener: TlsOptions, dialler: TlsOptions): Transport {
  return {
    ...transport,
    listen: (url, accept) => transport.listen(url, accept, { tls: listener }),
    dial: (url, options) => transport.dial(url, { ...options, tls: dialler }),
  };
}
