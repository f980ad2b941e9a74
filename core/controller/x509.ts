/** The library that makes certificates, loaded when it is wanted: it takes longer than all the rest of a controller's start. */

type X509 = typeof import('@peculiar/x509');

/**
 * The injector inside the library insists on the metadata of `Reflect` that some compilers' decorators use, and asks it only for
 * the constructor parameters of classes that have none. So it is told of none, and the program's own `Reflect` stays as it is.
 */
const METADATA = ['getMetadata', 'getOwnMetadata', 'defineMetadata', 'metadata'] as const;

let library: Promise<X509> | undefined;

export function x509(): Promise<X509> {
  return (library ??= load());
}

async function load(): Promise<X509> {
  const lent = METADATA.filter((name) => !(name in Reflect));
  for (const name of lent) {
    Object.defineProperty(Reflect, name, {
      value: name === 'metadata' ? () => () => {} : () => {},
      configurable: true,
    });
  }
  try {
    return await import('@peculiar/x509');
  } finally {
    for (const name of lent) Reflect.deleteProperty(Reflect, name);
  }
}
