/** Certificates of an engine for its direct channels, signed by the controller's authority. */
import type { TlsOptions } from '../wire/transport.ts';

/** The controller's signature for a certificate of this engine at this address, and who vouches for it. @param publicKey PEM */
export type Certify = (publicKey: string, address: string) => Promise<{ cert: string; ca: string }>;

export class Identities {
  #certify: Certify;
  /** By address; '' for one that only dials. */
  #made = new Map<string, Promise<TlsOptions>>();

  constructor(certify: Certify) {
    this.#certify = certify;
  }

  /** The private key never leaves this engine. */
  at(address: string): Promise<TlsOptions> {
    let identity = this.#made.get(address);
    if (!identity) {
      identity = this.#make(address);
      this.#made.set(address, identity);
      identity.catch(() => this.#made.delete(address));
    }
    return identity;
  }

  /** All are to be made anew. @returns those addresses at which others come */
  clear(): string[] {
    const addresses = [...this.#made.keys()].filter((address) => address !== '');
    this.#made.clear();
    return addresses;
  }

  async #make(address: string): Promise<TlsOptions> {
    const { generateKeyPairSync } = await import('node:crypto');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signed = await this.#certify(publicKey.export({ type: 'spki', format: 'pem' }) as string, address);
    return { ...signed, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }
}
