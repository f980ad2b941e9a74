/** Where stores are kept: a folder, or what the scheme of a URL stands for. */
import { UsageError } from '../errors.ts';
import { lmdbStores } from './lmdb-store.ts';
import type { StoreProvider } from './store.ts';

const URL_LIKE = /^([a-z][a-z\d+.-]+):\/\//i;

const schemes = new Map<string, (url: URL) => StoreProvider>();

/** Makes a kind of store known to this process, by the scheme of its URLs. */
export function registerStores(scheme: string, provider: (url: URL) => StoreProvider): void {
  schemes.set(scheme, provider);
}

export function isStoreUrl(where: string): boolean {
  return URL_LIKE.test(where);
}

/** The stores in this place. Throws UsageError for a URL that stands for none. */
export function storesAt(where: string): StoreProvider {
  const scheme = URL_LIKE.exec(where)?.[1]?.toLowerCase();
  if (!scheme) return lmdbStores(where);
  const provider = schemes.get(scheme);
  if (provider && URL.canParse(where)) return provider(new URL(where));
  const known = [...schemes.keys()].map((one) => `${one}:`).join(', ') || 'none';
  throw new UsageError(
    `No stores are kept at '${where}': give a folder, or a URL of a scheme that keeps stores (${known})`,
  );
}
