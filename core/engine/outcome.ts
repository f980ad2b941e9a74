/** What is said of a call that has ended: its value or its error, encoded. */
import { encodeAnswer, encodeThrown } from '../wire/answer.ts';
import { payloadBytes } from '../wire/codec.ts';
import { Status } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { checkSize } from '../wire/frame-outbox.ts';
import type { Job } from './job.ts';
import { encodeShown } from './shown.ts';

/** What an envelope takes at most beside a result. Bytes. */
const HEADER_ROOM = 4_096;

/** A value that cannot travel, or is larger than any message, is an error instead. */
export function outcomeOf(
  job: Pick<Job, 'codec' | 'failure' | 'op'>,
  ok: boolean,
  value: unknown,
): { status: Status; payload: Payload; bytes: number } {
  let status: Status = ok ? Status.OK : job.failure === undefined ? Status.FAILED : Status.LOST;
  const { codec } = job;
  let payload: Payload;
  try {
    if (!ok) payload = encodeThrown(value, codec);
    else if (job.op === 'execute') payload = encodeShown(value, codec);
    else payload = encodeAnswer(value, 'result', codec);
    checkSize(payloadBytes(payload) + HEADER_ROOM, payload.parts.length + 1);
  } catch (error) {
    status = Status.FAILED;
    payload = encodeThrown(error, codec);
  }
  return { status, payload, bytes: payloadBytes(payload) };
}
