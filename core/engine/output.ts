/** What user code prints: taken from `process.stdout` and `stderr`, attributed to the job that printed it, across awaits. */
import { textPayload } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { currentJob, type Job } from './job.ts';

export type Print = (job: Job | undefined, stream: 1 | 2, text: string) => void;

/** As it was before user code came. */
const { setImmediate: later } = globalThis;
const FLUSH_AT = 64 << 10;

/** Takes the streams over. */
export function captureOutput(print: Print): void {
  take(process.stdout, (text) => print(currentJob.getStore(), 1, text));
  take(process.stderr, (text) => print(currentJob.getStore(), 2, text));
}

/** Gathers text of one job and stream for a turn of the event loop. */
export function gathered(sink: (job: Job | undefined, stream: 1 | 2, text: Payload) => void): {
  print: Print;
  flush(): void;
} {
  let pending: { job: Job | undefined; stream: 1 | 2; text: string } | undefined;
  let scheduled = false;
  const flush = (): void => {
    const out = pending;
    pending = undefined;
    if (out) sink(out.job, out.stream, textPayload(out.text));
  };
  const print: Print = (job, stream, text) => {
    if (pending && (pending.job !== job || pending.stream !== stream)) flush();
    if (pending) pending.text += text;
    else pending = { job, stream, text };
    if (pending.text.length > FLUSH_AT) flush();
    if (scheduled) return;
    scheduled = true;
    later(() => {
      scheduled = false;
      flush();
    });
  };
  return { print, flush };
}

function take(stream: NodeJS.WriteStream, append: (text: string) => void): void {
  const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    append(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') later(done as () => void);
    return true;
  };
  Object.defineProperty(stream, 'write', { value: write, configurable: true, writable: true });
}
