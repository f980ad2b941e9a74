import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import type { CloseReason, Connection } from '../../core/wire/transport.ts';
import { brokerPort, thread } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';

let n = 0;
describe('thread', () => transportCompliance({ transport: thread(), url: () => `thread:${n++}` }, { test }));

describe('threads', () => {
  test('main dials a worker, a worker dials a worker, and a worker that ends is a loss', async () => {
    const first = await echo('thread:first');
    const second = await echo('thread:second', 'thread:first');
    const connection = await thread().dial(new URL('thread:second'), {});
    const answers: string[] = [];
    const reasons: CloseReason[] = [];
    connection.receive({
      message: ([part]) => answers.push(Buffer.from(part!).toString()),
      close: (reason) => reasons.push(reason),
    });
    connection.send([Buffer.from('hello')]);
    await expect.poll(() => answers).toEqual(['hello, thread:first, thread:second']);
    await expect(thread().listen(new URL('thread:first'), () => {})).rejects.toThrow(/somebody in this process/);
    await second.terminate();
    await expect.poll(() => reasons.map(({ code }) => code)).toEqual(['lost']);
    await first.terminate();
    const freed = await thread().listen(new URL('thread:second'), () => {});
    await freed.close();
  });

  test('a worker dials main', async () => {
    const accepted: Connection[] = [];
    const listener = await thread().listen(new URL('thread:main'), (c) => accepted.push(c));
    const worker = await echo('thread:third', 'thread:main');
    await expect.poll(() => accepted.length).toBe(1);
    await worker.terminate();
    await listener.close();
  });
});

const sources = build({
  stdin: {
    contents: `
      import { workerData, parentPort } from 'node:worker_threads';
      import { joinBroker, thread } from './transports/index.ts';
      const { port, name, next } = workerData;
      joinBroker(port);
      const text = (part, more) => [Buffer.from(Buffer.from(part).toString() + more)];
      const onward = next && await thread().dial(new URL(next), {});
      await thread().listen(new URL(name), (c) => {
        onward?.receive({ message: ([part]) => c.send(text(part, ', ' + name)), close() {} });
        c.receive({ message: ([part]) => onward ? onward.send([part]) : c.send(text(part, ', ' + name)), close() {} });
      });
      parentPort.postMessage('up');`,
    resolveDir: new URL('../..', import.meta.url).pathname,
    loader: 'js',
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});

/** A worker that answers every message with its name added, or passes it on to `next` first. */
async function echo(name: string, next?: string): Promise<Worker> {
  const port = brokerPort();
  const code = (await sources).outputFiles[0]!.text;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { port, name, next },
    transferList: [port],
  });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return worker;
}
