/** How both threads open the same lmdb environment: the one that commits, and the one that reads. */
import type { RootDatabase } from 'lmdb';

export const DATA_FILE = 'data.mdb';

export type Environment = RootDatabase<Buffer, Buffer>;

/** lmdb is loaded here and nowhere else, by programs that have durable state. */
export async function openEnvironment(folder: string, sync: boolean): Promise<Environment> {
  const { open } = await import('lmdb');
  return open<Buffer, Buffer>({
    path: folder,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    // A commit is on the disk, in the right order, before it returns: no second step, no repair after a loss of power.
    overlappingSync: false,
    noSync: !sync,
  });
}
