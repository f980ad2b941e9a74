/** Program of a controller with a process of its own. The IPC channel brings its options; unless detached, its end ends us. */
import type { ControllerBoot, ControllerNews } from '../core/client/cluster.ts';
import { startHost } from '../core/controller/host.ts';
import { enginesOf } from '../core/controller/host-options.ts';
import { thrown } from '../core/wire/rpc.ts';
import '../paradigms/builtin.ts';
import '../transports/builtin.ts';

process.once('message', async (boot: ControllerBoot) => {
  try {
    const host = await startHost({ ...boot, listen: boot.listen ?? [], local: true });
    const stop = (): void => void host.stop().catch(() => {}); // of what fails the log has been told
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    // Even a detached one ends with whoever starts it until it is ready: nobody would know of it.
    process.once('disconnect', stop);
    if (!process.connected) stop();
    const { engines = enginesOf(boot, host.launcher), min } = boot;
    const { length } = await host.fleet.add(engines, host.launcher, min).catch(async (error) => {
      await host.stop();
      throw error;
    });
    if (boot.detached) process.off('disconnect', stop);
    const { outside, info, metrics } = host;
    const ready: ControllerNews = { ready: outside, own: info.token, engines: length, metrics };
    if (process.connected) process.send?.(ready);
    await host.stopped;
    process.exit(0);
  } catch (error) {
    if (!process.connected) process.exit(1);
    // Not left to the event loop, which a plug-in may keep busy, and not before it has been heard.
    process.once('disconnect', () => process.exit(1));
    process.send?.({ failed: thrown(error, 'msgpack') } satisfies ControllerNews);
  }
});
