/** Starts the engines of ranks on the hosts that they are mapped to: this machine's as its processes, others by ssh. */
import { hostname } from 'node:os';
import { type EngineHandle, type Launcher, processLauncher, type SshOptions, ssh } from '../../core/index.ts';

const HERE = new Set(['localhost', '127.0.0.1', '::1', hostname()]);

/** @param places the host of each rank: engines are started in their order. */
export function hostLauncher(places: readonly string[], options: Omit<SshOptions, 'hosts'>): Launcher {
  const launchers = new Map<string, Launcher>();
  for (const host of places) {
    if (launchers.has(host)) continue;
    const engines = places.filter((place) => place === host).length;
    launchers.set(host, HERE.has(host) ? processLauncher() : ssh({ ...options, hosts: [{ host, engines }] }));
  }
  const all = [...launchers.values()];
  const free = [...places];
  /** One that is started again is started where it was. */
  const placeOf = new Map<number, string>();
  return {
    kind: 'hosts',
    scheme: all.some(({ scheme }) => scheme === 'network') ? 'network' : 'unix',
    atOnce: all.reduce((sum, { atOnce = 2 }) => sum + atOnce, 0),
    places: places.length,
    launch(spec, tell): EngineHandle {
      const place = placeOf.get(spec.id) ?? free.shift() ?? places[placeOf.size % places.length]!;
      placeOf.set(spec.id, place);
      return launchers.get(place)!.launch(spec, tell);
    },
    close: async () => void (await Promise.all(all.map((launcher) => launcher.close?.()))),
  };
}
