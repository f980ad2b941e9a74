/** `npm run bench -- NAME …`: figures with their goals, and others' beside them in the same run. */
import { machine } from './measure.ts';

const benches: Record<string, () => Promise<void>> = {
  core: async () => (await import('./core.ts')).core(),
  deferred: async () => (await import('./deferred.ts')).deferred(),
  conversation: async () => (await import('./conversation.ts')).conversation(),
  farm: async () => (await import('./farm.ts')).farm(),
  store: async () => (await import('./store.ts')).store(),
  log: async () => (await import('./log.ts')).log(),
  mpi: async () => (await import('./mpi.ts')).mpi(),
  many: async () => (await import('./many.ts')).many(),
  space: async () => (await import('./space.ts')).space(),
  beyond: async () => (await import('./beyond.ts')).beyond(),
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length) {
  console.error(`No benchmark called ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
console.log(machine());
// `core` has the others in it.
for (const name of names.length ? names : ['core', 'store']) {
  console.log(`\n${name}`);
  await benches[name]!();
}
