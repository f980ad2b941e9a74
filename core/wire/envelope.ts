/** One message between two peers: an envelope (protobuf, part 0) and the parts of its payloads, in order. */
import { ProtocolError, UsageError } from '../errors.ts';
import { textOf, utf8 } from './bytes.ts';
import type { Payload } from './forms.ts';
import { tutti } from './generated/envelope.js';
import type { Message } from './transport.ts';

export const { Kind, Status } = tutti;
export type Status = tutti.Status;
/** What an OUTPUT message brings of a running task. */
export const Stream = { STDOUT: 1, STDERR: 2, MESSAGE: 3, PROGRESS: 4, RUNNING: 5, LAST_PROGRESS: 6 } as const;
/** What a sender fills in; `payloads` is filled in by `pack`. */
export type Header = Omit<tutti.Envelope.$Properties, 'payloads' | '$unknowns'>;
export type Envelope = tutti.Envelope;
export interface Need {
  client: number;
  call: number;
  engine: number;
  /** Of the engine that makes it, as the client knew it. */
  incarnation: number;
  /** It is known to be made: where it is not found it has gone. */
  settled?: boolean;
}
/** In a need, the engine of a result of which only its client will know where it is made. */
export const UNPLACED = 2 ** 32 - 1;
export type ResultHeader = tutti.Result.$Properties;

/** Protocol version; peers of another one are refused in the handshake. */
export const PROTOCOL_VERSION = 1;

/** Of an envelope alone: what it lists takes many times its bytes in memory. */
const MAX_ENVELOPE_BYTES = 4 << 20;

const CODECS = ['msgpack', 'json', 'raw'] as const;

export function pack(header: Header, payloads: readonly Payload[] = []): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const descriptors: tutti.Payload.$Properties[] = [];
  for (const payload of payloads) {
    descriptors.push({ codec: CODECS.indexOf(payload.codec), parts: payload.parts.length });
    for (const part of payload.parts) parts.push(part);
  }
  const envelope = header as tutti.Envelope.$Properties;
  envelope.payloads = descriptors;
  const packed = tutti.Envelope.encode(envelope).finish();
  if (packed.length > MAX_ENVELOPE_BYTES)
    throw new UsageError(
      `An envelope of ${packed.length} bytes is too large (limit: ${MAX_ENVELOPE_BYTES}): the call names too many targets or pending results; make several calls of it`,
    );
  parts.unshift(packed);
  return parts;
}

export function unpack(message: Message): { header: Envelope; payloads: Payload[] } {
  let header: Envelope;
  const bytes = message[0]?.length ?? 0;
  if (bytes > MAX_ENVELOPE_BYTES)
    throw new ProtocolError(`An envelope of ${bytes} bytes; the limit is ${MAX_ENVELOPE_BYTES}`);
  try {
    header = tutti.Envelope.decode(message[0]!);
  } catch (cause) {
    throw new ProtocolError('A message without a readable envelope', { cause });
  }
  const payloads: Payload[] = [];
  let at = 1;
  for (const { codec, parts } of header.payloads) {
    const name = CODECS[codec ?? 0];
    const end = at + (parts ?? 0);
    if (!name || end > message.length) throw new ProtocolError('A message whose payloads do not match its envelope');
    payloads.push({ codec: name, parts: message.slice(at, end) as Uint8Array[] });
    at = end;
  }
  if (at !== message.length) throw new ProtocolError('A message whose payloads do not match its envelope');
  return { header, payloads };
}

/** Text as a payload without any codec, e.g. source code or output. */
export function textPayload(text: string): Payload {
  return { codec: 'raw', parts: [utf8(text)] };
}

export function payloadText(payload: Payload | undefined): string {
  const part = payload?.parts[0];
  return part ? textOf(part) : '';
}
