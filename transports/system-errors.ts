/** Errors of the system and of TLS, in words and with what to do. */

const UNTRUSTED =
  "its certificate is not signed by an authority that is trusted here; use the cluster's connection file, or name the authority's certificate in TUTTI_CA";
const NO_TLS = 'it does not speak TLS; use a tcp:// or ws:// URL';
const OLD_TLS = 'the two sides share no TLS version; TLS 1.2 is the oldest that is spoken here';
const MALFORMED = 'a certificate or key is not PEM text (-----BEGIN …), or it is cut short';

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; somebody listens there already',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAGAIN: 'too many wait to be let in there',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up just now',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer cut the connection',
  EPIPE: 'the peer has ended the connection',
  ECONNABORTED: 'the connection was aborted',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
  ENOTSOCK: 'the file is not a socket',
  CERT_HAS_EXPIRED: 'its certificate has expired; give it a new one, and check the clocks',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check the clocks of both machines',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key is not that of the certificate; give the pair that belongs together',
  ERR_OSSL_PEM_NO_START_LINE: MALFORMED,
  ERR_OSSL_PEM_BAD_END_LINE: MALFORMED,
  ERR_OSSL_PEM_BAD_BASE64_DECODE: MALFORMED,
  ERR_OSSL_UNSUPPORTED: MALFORMED,
};

/** A system error in words, with its code for searching. */
export function inWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EPROTO') return handshakeFailure(message);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return otherName(error as { host?: string; cert?: { subjectaltname?: string } });
  const words = code === undefined ? undefined : WORDS[code];
  return words ? `${words} (${code})` : message;
}

/** Node gives the library's reason a code of its own, but not when it comes up while writing. */
function handshakeFailure(message: string): string {
  const [, reason = message] = /:SSL routines:[^:]*:([^:]+)/.exec(message) ?? [];
  if (/wrong version number|packet length too long/.test(reason)) return `${NO_TLS} (EPROTO)`;
  if (/protocol version|unsupported protocol/.test(reason)) return `${OLD_TLS} (EPROTO)`;
  return `TLS could not be agreed on: ${reason} (EPROTO)`;
}

function otherName({ host, cert }: { host?: string; cert?: { subjectaltname?: string } }): string {
  const names = cert?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '') ?? 'nobody';
  return `its certificate is for ${names}, not for ${host}; dial it by such a name, or say serverName (ERR_TLS_CERT_ALTNAME_INVALID)`;
}
