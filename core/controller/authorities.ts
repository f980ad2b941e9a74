/**
 * The cluster's own authority, made when the first certificate is wanted; and, while another one takes its place, the one before
 * it. What the new one signs then comes with the former's word for it, so that it is good for whoever has not heard of the new one.
 */
import { type Authority, type Identity, newAuthority } from './authority.ts';

interface Former {
  readonly certificate: string;
  /** Its word for the current one. */
  readonly bridge: string;
}

export class Authorities {
  #current: Promise<Authority> | undefined;
  #former: Former | undefined;

  /** PEM: the certificate of the authority that signs. */
  async certificate(): Promise<string> {
    return (await this.#authority()).certificate;
  }

  /** PEM: those whose signatures are good now. */
  async trusted(): Promise<string> {
    return `${await this.certificate()}${this.#former ? `\n${this.#former.certificate}` : ''}`;
  }

  /** Of a new pair of keys. `hosts`: what it may listen as; without any it is only good for who dials. */
  async issue(name: string, hosts?: readonly string[]): Promise<Identity> {
    const { cert, key } = await (await this.#authority()).issue(name, hosts);
    return { cert: this.#chained(cert), key };
  }

  /** Of a key whose other half stays where it is. @param publicKey PEM */
  async sign(publicKey: string, name: string, hosts?: readonly string[]): Promise<string> {
    return this.#chained(await (await this.#authority()).sign(publicKey, name, hosts));
  }

  /**
   * Another one signs from now on. The one before is trusted until `forget`, which comes back; one that was still trusted beside it
   * is not any more. Undefined: none was ever made.
   */
  async replace(): Promise<{ forget(): boolean } | undefined> {
    if (!this.#current) return undefined;
    const before = await this.#current;
    const next = await newAuthority();
    const former = { certificate: before.certificate, bridge: await before.vouchFor(next) };
    this.#current = Promise.resolve(next);
    this.#former = former;
    return {
      forget: () => {
        if (this.#former !== former) return false; // another one has been replaced since
        this.#former = undefined;
        return true;
      },
    };
  }

  #authority(): Promise<Authority> {
    return (this.#current ??= newAuthority());
  }

  #chained(cert: string): string {
    return this.#former ? `${cert}\n${this.#former.bridge}` : cert;
  }
}
