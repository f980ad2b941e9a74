/** Program of a controller with a process of its own. The IPC channel brings its options; unless detached, its end ends us. */
import type { ControllerBoot, ControllerNews } from '../core/client/cluster.ts';
import { startHost } from '../core/controller/host.ts';
import { thrown } from '../core/wire/rpc.ts';
import '../transports/builtin.ts';

process.once('message', async (boot: ControllerBoot) => {
  const tell = (news: ControllerNews): void => {
    if (process.connected) process.send?.(news);
  };
  try {
    const host = await startHost({ ...boot, listen: boot.listen ?? [], local: true });
    const stop = (): void => void host.stop().catch(() => {}); // of what fails the log has been told
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    // Even a detached one ends with whoever starts it until it is ready: nobody would know of it.
    process.once('disconnect', stop);
    if (!process.connected) stop();
    await host.fleet.add(boot.engines, host.launcher).catch(async (error) => {
      await host.stop();
      throw error;
    });
    if (boot.detached) process.off('disconnect', stop);
    tell({ ready: host.outside, metrics: host.metrics });
    await host.stopped;
    process.exit(0);
  } catch (error) {
    tell({ failed: thrown(error, 'msgpack') });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
});
