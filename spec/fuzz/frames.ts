/** Frames as no peer of ours would send them. */
import { encode } from '../../core/wire/codec.ts';
import { type Header, Kind, pack, Status } from '../../core/wire/envelope.ts';
import type { Payload } from '../../core/wire/forms.ts';
import { CLOSE, CREDIT, FIRST, LAST } from '../../core/wire/framing.ts';
import type { Role } from '../../core/wire/handshake.ts';
import { body } from './bodies.ts';
import type { Random } from './random.ts';
import { frame, whole } from './raw-peer.ts';

/** goes on: the session lives. dropped: for breaking the protocol. leaves: on purpose, or by an end in the middle. */
export type Fate = 'goes on' | 'dropped' | 'leaves' | 'may be dropped';

export interface Shot {
  bytes: Buffer;
  fate: Fate;
}

/** Ids of calls must count up, in what is meant to get further than that. */
export interface Aim {
  role: Role;
  /** Engines that are there. */
  engines: readonly number[];
  call: number;
  request: number;
}

const OPS = [
  'apply',
  'map',
  'push',
  'pull',
  'execute',
  'run',
  'clear',
  '',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(9_000),
];
const REQUESTS = [
  'status',
  'fetch',
  'cancel',
  'value',
  'code',
  'ticket',
  'peek',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
];
const IDS = [0, 1, 2, 7, 255, 65_536, 2 ** 31, 2 ** 32 - 1];
const u32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n >>> 0);
  return bytes;
};
const message = (header: Header, payloads: Payload[] = [], lane = 1): Buffer => whole(pack(header, payloads), lane);
const fate = (fate: Fate, bytes: Buffer): Shot => ({ fate, bytes });

/** Below the envelope: what any reader of frames must see through. */
export function brokenFrame(r: Random): Shot {
  const any = whole(pack({ kind: Kind.BEAT }), 0);
  const choices: (() => Shot)[] = [
    () => fate('dropped', frame(FIRST | LAST | 1, Buffer.alloc(0), 0xffffffff)),
    () => fate('dropped', frame(r.pick([2, 7, 15]) | FIRST | LAST, r.bytes(12))),
    () => fate('dropped', frame(CREDIT, r.bytes(4), r.pick([0, 3, 5, 2 ** 31]))),
    () => fate('dropped', frame(CREDIT, u32(0x7fffffff))),
    () => fate('dropped', frame(CREDIT | CLOSE, r.bytes(4))),
    () => fate('dropped', frame(CLOSE | 1, r.bytes(4))),
    () => fate('dropped', frame(CLOSE, Buffer.alloc(2_000))),
    () => fate('dropped', frame(FIRST | LAST | 1, u32(0xffffffff))),
    () => fate('dropped', frame(FIRST | LAST | 1, Buffer.concat([u32(1), u32(0xffffffff), r.bytes(20)]))),
    () => fate('dropped', frame(FIRST | 1, Buffer.concat([u32(1), u32(0xfffffff0), r.bytes(20)]))),
    () => fate('dropped', frame(FIRST | LAST | 1, Buffer.concat([u32(2), u32(8), u32(8), r.bytes(4)]))),
    () => fate('dropped', frame(FIRST | LAST | 1, Buffer.concat([u32(1), u32(4), r.bytes(40)]))),
    () => fate('dropped', frame(LAST | 1, r.bytes(8))),
    () => fate('dropped', frame(1, Buffer.alloc(0))),
    () => fate('dropped', frame(FIRST | LAST, r.bytes(3))),
    () =>
      fate(
        'dropped',
        Buffer.concat([
          frame(FIRST | 1, Buffer.concat([u32(1), u32(100), r.bytes(4)])),
          any,
          any,
          frame(FIRST | 1, r.bytes(8)),
        ]),
      ),
    () => fate('dropped', frame(FIRST | 0, Buffer.concat([u32(1), u32(5 << 20), r.bytes(4)]))),
    () => fate('leaves', frame(CLOSE, Buffer.from('had enough'))),
    () => fate('leaves', any.subarray(0, r.int(1, any.length - 1))),
    () => fate('leaves', frame(FIRST | 1, Buffer.concat([u32(1), u32(100), r.bytes(4)]))),
    () => fate('may be dropped', r.bytes(r.int(1, 200))),
    () => fate('may be dropped', flipped(r, any)),
  ];
  return r.pick(choices)();
}

/** Frames that are right around an envelope that is not, or that its sender may not send. */
export function brokenEnvelope(r: Random, aim: Aim): Shot {
  const choices: (() => Shot)[] = [
    () => fate('may be dropped', whole([r.bytes(r.int(1, 80))])),
    () =>
      fate(
        'may be dropped',
        flipped(r, message({ kind: Kind.CALL, id: aim.call + 1, op: 'pull', targets: [0] }, [encode(['x'])])),
      ),
    () => fate('dropped', whole([])),
    () => fate('dropped', message({ kind: r.pick([0, 1, 2, 3, 4, 5, 9, 77]) as never })),
    () => fate('dropped', message({ kind: Kind.ACK, received: 2 ** 40 }, [], 0)),
    () => fate('dropped', message({ kind: Kind.BEAT, received: r.pick([1_000_000, 2 ** 53]) }, [], 0)),
    () => fate('dropped', whole([...pack({ kind: Kind.EVENT, op: 'code' }), r.bytes(4)])),
    () => fate('dropped', whole(pack({ kind: Kind.EVENT, op: 'x' }, [{ codec: 'raw', parts: [] }]).concat(r.bytes(4)))),
    // A payload in codec 77: payloads { codec: 77, parts: 0 }
    () => fate('dropped', whole([Buffer.from([0x08, 15, 0x32, 2, 0x08, 77])])),
    () => fate('dropped', whole([Buffer.from([0x08, 15, 0x32, 6, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f])])),
    () => fate('leaves', message({ kind: Kind.GOODBYE, error: 'x'.repeat(r.int(0, 5_000)) })),
  ];
  if (aim.role === 'client')
    choices.push(
      () => fate('dropped', message({ kind: Kind.CALL, id: aim.call, op: 'pull', targets: [0] }, [encode(['x'])])),
      () =>
        fate('dropped', message({ kind: Kind.CALL, id: aim.call + 1, op: 'pull', targets: [0, 0] }, [encode(['x'])])),
      () =>
        fate(
          'dropped',
          message({ kind: Kind.CALL, id: aim.call + 1, op: 'push', targets: [0, 1], spread: true }, [encode([])]),
        ),
      () =>
        fate(
          'dropped',
          message(
            { kind: Kind.CALL, id: aim.call + 1, op: 'pull', targets: Array.from({ length: 90_000 }, (_, i) => i) },
            [],
          ),
        ),
      () =>
        fate(
          'dropped',
          message({ kind: Kind.EVENT, op: 'code', code: ['ab'.repeat(16)] }, [{ codec: 'raw', parts: [r.bytes(20)] }]),
        ),
      () => fate('dropped', message({ kind: Kind.EVENT, op: 'code', code: ['ab'.repeat(16)] })),
      () => fate('dropped', message({ kind: r.pick([Kind.REPLY, Kind.OUTPUT]), id: 1 })),
    );
  if (aim.role === 'observer')
    choices.push(
      () => fate('dropped', message({ kind: Kind.RELEASE, ids: [1], targets: [0] })),
      () => fate('dropped', message({ kind: Kind.EVENT, op: 'code' })),
      () => fate('dropped', message({ kind: Kind.REPLY, id: 1 })),
    );
  if (aim.role === 'engine')
    choices.push(
      () => fate('dropped', message({ kind: r.pick([Kind.CALL, Kind.RELEASE, Kind.EVENT]), id: 1 })),
      () => fate('dropped', message({ kind: Kind.OUTPUT, client: 0, id: 0 })),
    );
  return r.pick(choices)();
}

/** Right in form and wild in content: the session must go on. */
export function wild(r: Random, aim: Aim): Shot {
  const ids = (): number[] => Array.from({ length: r.int(0, 5) }, () => r.pick(IDS));
  const need = () => ({ client: r.pick(IDS), call: r.pick(IDS), engine: r.pick(IDS), incarnation: r.pick(IDS) });
  const request = (op: string, payloads: Payload[], more: Header = {}): Shot =>
    fate('goes on', message({ kind: Kind.REQUEST, id: ++aim.request, op, ...more }, payloads));
  const choices: (() => Shot)[] = [
    () => request(r.pick(REQUESTS), [body(r)], { needs: [need()], ids: ids(), engine: r.pick(IDS), code: ['zz'] }),
    () => request(r.pick(REQUESTS), []),
    () => fate('goes on', message({ kind: Kind.RESPONSE, id: r.pick(IDS), failed: r.chance(0.5) }, [body(r)])),
    () =>
      fate(
        'goes on',
        message({ kind: Kind.BEAT, beat: { rss: r.pick([Number.NaN, -1, Number.POSITIVE_INFINITY]) } }, [], 0),
      ),
    () => fate('goes on', message({ kind: r.pick([Kind.CALL, 77]) as never }, [], 0)),
    () => fate('goes on', frame(CREDIT, u32(0))),
  ];
  if (aim.role === 'client') {
    const call = (header: Header, payloads: Payload[]): Shot =>
      fate('goes on', message({ kind: Kind.CALL, id: ++aim.call, op: r.pick(OPS), ...header }, payloads));
    const engine = (): number => r.pick(aim.engines);
    choices.push(
      () => call({ targets: [engine()] }, [body(r)]),
      () => call({ targets: [engine()] }, [body(r), body(r)]),
      () => call({ targets: [engine(), r.pick([77_777, 2 ** 32 - 1])], spread: true }, [body(r), body(r), body(r)]),
      () => call({ targets: [engine()], code: ['nowhere', 'ab'.repeat(16)] }, [body(r)]),
      () => call({ targets: [engine()], needs: [{ ...need(), client: 2 ** 31 }] }, [body(r)]),
      () => call({ targets: [r.pick([1_000, 2 ** 32 - 1])], label: 'x'.repeat(r.int(0, 3_000)) }, []),
      () =>
        request('add', [
          encode({ count: r.pick([-1, 1e9, 2 ** 53, 'x', null, 1.5]), kind: r.pick([undefined, 'x', '__proto__', 5]) }),
        ]),
      () => request('add', [encode({ count: 1, kind: r.pick(['x', '__proto__', 5]) })]),
      () => request(r.pick(['remove', 'restart']), [encode(r.pick([[99_999], [-1], 'x', [null], [{}]]))]),
      () =>
        request('cancel', [
          encode({ call: r.pick(IDS), targets: ids(), reason: r.pick([undefined, {}, 'x'.repeat(50_000)]) }),
        ]),
      () => fate('goes on', message({ kind: Kind.RELEASE, ids: ids(), targets: ids() })),
    );
  }
  if (aim.role === 'observer')
    choices.push(() => fate('goes on', message({ kind: Kind.CALL, id: ++aim.call, op: 'pull', targets: [0] }, [])));
  if (aim.role === 'engine')
    choices.push(
      () =>
        fate(
          'goes on',
          message(
            {
              kind: Kind.REPLY,
              client: r.pick(IDS),
              id: r.pick(IDS),
              results: [
                {
                  engine: r.pick(IDS),
                  incarnation: r.pick(IDS),
                  status: r.pick([Status.OK, Status.KEPT, 99]) as never,
                  bytes: r.pick([-1, Number.NaN, 1e300]),
                },
              ],
            },
            [body(r)],
          ),
        ),
      () => fate('goes on', message({ kind: Kind.REPLY, client: r.pick(IDS), id: r.pick(IDS) })),
      () =>
        fate(
          'goes on',
          message({ kind: Kind.OUTPUT, client: r.pick(IDS), id: r.pick(IDS), stream: r.pick(IDS) }, [body(r)]),
        ),
    );
  return r.pick(choices)();
}

function flipped(r: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[r.int(0, copy.length - 1)] = r.int(0, 255);
  return copy;
}
