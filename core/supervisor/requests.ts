/** Answers requests of the controller in JSON. A supervisor has no other codec: it is to stay small. */
import { type Envelope, Kind, payloadText } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Session } from '../wire/session.ts';

/** What is answered, and perhaps a payload as it is. */
export interface Answer {
  readonly value: unknown;
  readonly payload?: Payload;
}

export type Handler = (asked: any) => Promise<Answer>;

export function answerTo(
  session: Session,
  { id, op }: Envelope,
  payloads: readonly Payload[],
  handlers: Record<string, Handler>,
): void {
  const respond = (value: unknown, failed: boolean, payload?: Payload): void => {
    const json: Payload = { codec: 'json', parts: [Buffer.from(JSON.stringify(value ?? null))] };
    session.send({ kind: Kind.RESPONSE, id, failed }, payload ? [json, payload] : [json]);
  };
  const handler = Object.hasOwn(handlers, op) ? handlers[op]! : unknown(op);
  const fail = (error: Error): void => respond({ name: error.name, message: error.message }, true);
  handler(JSON.parse(payloadText(payloads[0]) || 'null')).then(
    ({ value, payload }) => respond(value, false, payload),
    fail,
  );
}

const unknown = (op: string) => async (): Promise<Answer> => {
  throw new Error(`Unknown request '${op.slice(0, 40)}'`);
};
