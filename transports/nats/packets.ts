/** What the two ends of a connection over NATS say to each other: a byte that says what it is, and what belongs to it. */

export const Packet = {
  /** u32 number, then bytes of the stream. */
  DATA: 0,
  /** f64: bytes of the stream that have arrived so far. */
  ACK: 1,
  /** This end is gone. */
  CUT: 2,
  /** u32: packets of DATA so far. Is anybody there, and has all arrived? The server answers if nobody is. */
  PROBE: 3,
  /** u8 version, u32 largest packet: to a listener. The reply subject is where the dialler listens. */
  DIAL: 4,
  /** u8 version, u32 largest packet, f64 term: the answer. Its reply subject is where this end listens. */
  ACCEPT: 5,
  /** UTF-8: why not. */
  REFUSE: 6,
  /** f64 term, then an id: who wants to listen under a name asks those who do. */
  CLAIM: 7,
  /** To a claim: the name is taken. */
  TAKEN: 8,
  /** To a claim: it comes first. */
  YIELD: 9,
  /** f64: the term of the controller that is active now. */
  TERM: 10,
} as const;

export const VERSION = 1;
export const DATA_HEADER = 5;

export function packet(type: number, size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(1 + size);
  bytes[0] = type;
  return { bytes, view: viewOf(bytes) };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function numberPacket(type: number, value: number): Uint8Array {
  const { bytes, view } = packet(type, 8);
  view.setFloat64(1, value, true);
  return bytes;
}

export function textPacket(type: number, text: string): Uint8Array {
  return Buffer.concat([Buffer.of(type), Buffer.from(text)]);
}

export function textIn(bytes: Uint8Array, start = 1): string {
  return Buffer.from(bytes.subarray(start)).toString();
}
