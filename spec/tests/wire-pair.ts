/** Two connected ends within this thread, and a peer that says what it likes. */
import { type Envelope, type Header, pack, unpack } from '../../core/wire/envelope.ts';
import type { CloseReason, Connection } from '../../core/wire/transport.ts';
import { inline } from '../../transports/inline.ts';

let pairs = 0;

export async function connectedPair(): Promise<[near: Connection, far: Connection]> {
  const transport = inline();
  const url = new URL(`inline:pair-${pairs++}`);
  const arriving: Connection[] = [];
  const listener = await transport.listen(url, (connection) => arriving.push(connection));
  const near = await transport.dial(url, {});
  await listener.close();
  return [near, arriving[0]!];
}

export interface RawPeer {
  readonly heard: Envelope[];
  readonly closed: CloseReason[];
  say(header: Header): void;
}

export function rawPeer(connection: Connection): RawPeer {
  const heard: Envelope[] = [];
  const closed: CloseReason[] = [];
  connection.receive({
    message: (parts) => heard.push(unpack(parts).header),
    close: (reason) => closed.push(reason),
  });
  return { heard, closed, say: (header) => connection.send(pack(header)) };
}
