/**
 * The wire, as bytes: every entry is a value or a message and exactly what stands for it. Entries are kept for ever: an
 * entry that no longer holds is a new protocol version, and never an entry to be changed.
 */
import type { Header } from '../../core/wire/envelope.ts';
import { Kind, Status } from '../../core/wire/envelope.ts';
import type { Form } from '../../core/wire/forms.ts';

/** Stands for a thing that travels as a form: see forms.ts. */
export class Formed {
  readonly form: Form;
  constructor(form: Form) {
    this.form = form;
  }
}

export interface GoldenValue {
  name: string;
  codec?: 'json';
  make(): unknown;
  /** Its class is not known to the reader, so what was read is compared by how it is written again. */
  foreign?: true;
  /** The payload's parts in hex; `xx*n` is n times the same. */
  parts: string[];
}

export interface GoldenMessage {
  name: string;
  header: Header;
  payloads?: { codec: 'msgpack' | 'json' | 'raw'; parts: string[] }[];
  /** Part 0 in hex; the parts of the payloads follow it as they are. */
  envelope: string;
}

export interface GoldenFrames {
  name: string;
  messages?: { lane: 0 | 1; parts: string[] }[];
  grant?: number;
  goodbye?: string;
  /** All that goes over the connection, in hex. */
  bytes: string;
}

function sparse(): unknown[] {
  const list: unknown[] = [1];
  list[3] = 'x';
  return list;
}

function ring(): unknown {
  const shared = { s: 1 };
  const ring: Record<string, unknown> = { shared: [shared, shared] };
  ring.self = ring;
  return ring;
}

function error(): Error {
  const made: Error & { stack?: string } = new RangeError('too far', { cause: 'why' });
  delete made.stack;
  return Object.assign(made, { at: 7 });
}

function libraryError(): Error {
  class LibraryError extends TypeError {}
  class HttpError extends LibraryError {}
  const made: Error & { stack?: string } = new HttpError('down');
  delete made.stack;
  return made;
}

function views(): unknown {
  const { buffer } = Uint8Array.of(1, 0, 2, 0);
  return [buffer, new Uint16Array(buffer, 2, 1)];
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

export const values: GoldenValue[] = [
  { name: 'nothing', make: () => undefined, parts: ['d40000'] },
  {
    name: 'plain data',
    make: () => ({ a: [1, -1, 1.5, 70000, 2 ** 40], b: 'é', c: null, d: true, e: undefined }),
    parts: ['85a1619501ffcb3ff8000000000000ce00011170cb4270000000000000a162a2c3a9a163c0a164c3a165d40000'],
  },
  {
    name: 'a date and big integers',
    make: () => [new Date(1_000), 2n ** 63n, -5n, 2n ** 70n],
    parts: ['94d6ff00000001cf8000000000000000d3fffffffffffffffbd84200000000000000400000000000000000'],
  },
  { name: 'minus zero', make: () => [-0, 0], parts: ['c19292d65400000000009191a22d30'] },
  { name: 'text that is not well-formed', make: () => ['\ud800'], parts: ['c19291d654000000009192a474657874c40200d8'] },
  {
    name: 'a map and a set',
    make: () =>
      new Map<unknown, unknown>([
        ['k', new Set([1, 'x'])],
        [2, null],
      ]),
    parts: ['c192d654000000009295a36d6170a16bd6540000000102c093a373657401a178'],
  },
  {
    name: 'keys that readers trip over',
    make: () => JSON.parse('{"__proto__": 1, "constructor": 2}'),
    parts: ['c192d654000000009195a66f626a656374a95f5f70726f746f5f5f01ab636f6e7374727563746f7202'],
  },
  {
    name: 'no prototype',
    make: () => Object.assign(Object.create(null), { a: 1 }),
    parts: ['c192d654000000009193a46e756c6ca16101'],
  },
  { name: 'holes', make: () => sparse(), parts: ['c192d654000000009196a673706172736504000103a178'] },
  {
    name: 'a regular expression and boxes',
    make: () => [/a+/gi, Object(1), Object('s')],
    parts: ['c19293d65400000000d65400000001d654000000029393a6726567657870a2612ba2676992a3626f780192a3626f78a173'],
  },
  {
    name: 'a cycle and shared identity',
    make: () => ring(),
    parts: [
      'c192d654000000009292a2697382a673686172656492d65400000001d65400000001a473656c66d6540000000092a2697381a17301',
    ],
  },
  {
    name: 'an error',
    make: () => error(),
    parts: [
      'c192d65400000000919ba56572726f7292aa52616e67654572726f72a54572726f72a76d657373616765a7746f6f20666172c2a56361757365a3776879c2a2617407c3',
    ],
  },
  {
    name: 'an error of a class that the reader does not know, with its parents',
    make: () => libraryError(),
    foreign: true,
    parts: [
      'c192d654000000009195a56572726f7294a9487474704572726f72ac4c6962726172794572726f72a9547970654572726f72a54572726f72a76d657373616765a4646f776ec2',
    ],
  },
  {
    name: 'a small typed array',
    make: () => Float64Array.of(1, -2),
    parts: [
      'c192d654000000019294a66d656d6f7279c2c2c410000000000000f03f00000000000000c095a476696577ac466c6f617436344172726179d654000000000002',
    ],
  },
  {
    name: 'a large typed array, beside the body',
    make: () => new Uint16Array(2048).fill(0x0102),
    parts: [
      'c192d654000000019294a66d656d6f7279c2c20195a476696577ab55696e7431364172726179d6540000000000cd0800',
      '0201*2048',
    ],
  },
  {
    name: 'two views of one buffer',
    make: () => views(),
    parts: [
      'c19292d65400000000d654000000019294a66d656d6f7279c2c3c4040100020095a476696577ab55696e7431364172726179d654000000000201',
    ],
  },
  {
    name: 'a function with captures',
    make: () => new Formed({ kind: 'code', hash: 'ab12', name: 'f', captures: { k: 3 } }),
    parts: ['c192d654000000009195a4636f6465a461623132a166a16b03'],
  },
  {
    name: 'a module reference',
    make: () => new Formed({ kind: 'module', hash: 'cd34', export: 'main' }),
    parts: ['c192d654000000009193a66d6f64756c65a463643334a46d61696e'],
  },
  {
    name: 'a builtin',
    make: () => new Formed({ kind: 'builtin', module: 'node:fs', export: null }),
    parts: ['c192d654000000009193a76275696c74696ea76e6f64653a6673c0'],
  },
  {
    name: 'a pending result',
    make: () => [new Formed({ kind: 'need', index: 0 })],
    parts: ['c19291d654000000009192a46e65656400'],
  },
  {
    name: 'a ref',
    make: () => new Formed({ kind: 'ref', expression: 'a.b[0]' }),
    parts: ['c192d654000000009192a3726566a6612e625b305d'],
  },
  {
    name: 'plain data as JSON',
    codec: 'json',
    make: () => ({ a: [1, -1.5, 'é'], b: null, c: true }),
    parts: ['7b2261223a5b312c2d312e352c22c3a9225d2c2262223a6e756c6c2c2263223a747275657d'],
  },
];

export const messages: GoldenMessage[] = [
  {
    name: 'hello',
    header: {
      kind: Kind.HELLO,
      hello: {
        version: 1,
        role: 'client',
        key: 'c01',
        nonce: bytes('00112233445566778899aabbccddeeff'),
        session: 's',
        received: 300,
        about: bytes('7b7d'),
      },
    },
    envelope: '08017a2b08011206636c69656e741a03633031221000112233445566778899aabbccddeeff2a017330ac023a027b7d',
  },
  {
    name: 'challenge',
    header: { kind: Kind.CHALLENGE, challenge: { version: 1, nonce: bytes('aa'), proof: bytes('bb') } },
    envelope: '080282010808011201aa1a01bb',
  },
  { name: 'proof', header: { kind: Kind.PROOF, proof: bytes('cc') }, envelope: '08038a0101cc' },
  {
    name: 'welcome',
    header: { kind: Kind.WELCOME, welcome: { session: 's', resumed: true, received: 3, about: bytes('7b7d') } },
    envelope: '080492010b0a01731001180322027b7d',
  },
  {
    name: 'refused',
    header: { kind: Kind.REFUSED, error: 'REFUSED The secret is wrong' },
    envelope: '0805a2011b5245465553454420546865207365637265742069732077726f6e67',
  },
  { name: 'ack', header: { kind: Kind.ACK, received: 4_294_967_296 }, envelope: '0806708080808010' },
  {
    name: 'beat',
    header: { kind: Kind.BEAT, received: 5, beat: { rss: 1.5e8, lag: 2 } },
    envelope: '080770059a01120900000000a3e1a141110000000000000040',
  },
  {
    name: 'beat with all that an engine tells',
    header: {
      kind: Kind.BEAT,
      received: 5,
      beat: {
        rss: 1.5e8,
        lag: 2,
        load: 0.25,
        queued: 3,
        calls: 1e3,
        heap: 6e6,
        kept: 65_537,
        peerSent: 20,
        peerReceived: 1e6,
      },
    },
    envelope:
      '080770059a014a0900000000a3e1a14111000000000000004019000000000000d03f2003290000000000408f40310000000060e3564139000000001000f040410000000000003440490000000080842e41',
  },
  {
    name: 'goodbye',
    header: { kind: Kind.GOODBYE, error: 'the client has closed' },
    envelope: '0808a2011574686520636c69656e742068617320636c6f736564',
  },
  {
    name: 'call',
    header: { kind: Kind.CALL, id: 1, op: 'pull', targets: [0, 3] },
    payloads: [{ codec: 'json', parts: ['5b2278225d'] }],
    envelope: '080a1001220470756c6c2a020003320408011001',
  },
  {
    name: 'call, spread, with code and needs',
    header: {
      kind: Kind.CALL,
      id: 2,
      op: 'apply',
      targets: [0, 1],
      spread: true,
      code: ['ab12'],
      needs: [{ client: 1, call: 1, engine: 3 }],
      label: 'l',
    },
    payloads: [
      { codec: 'msgpack', parts: ['90'] },
      { codec: 'msgpack', parts: ['9101'] },
      { codec: 'msgpack', parts: ['9102', 'ff00'] },
    ],
    envelope: '080a100222056170706c792a02000132021001320210013202100238014204616231324a06080110011803b201016c',
  },
  {
    name: 'call, forwarded',
    header: { kind: Kind.CALL, id: 2, client: 9, op: 'clear' },
    payloads: [{ codec: 'msgpack', parts: ['90'] }],
    envelope: '080a100218092205636c65617232021001',
  },
  {
    name: 'reply',
    header: {
      kind: Kind.REPLY,
      id: 2,
      results: [
        { engine: 1, incarnation: 1, status: Status.OK, payload: 1, started: 1000, completed: 1001, bytes: 1 },
        { engine: 0, incarnation: 2, status: Status.FAILED, payload: 2, started: 1000, completed: 1002, bytes: 1 },
        { engine: 2, incarnation: 1, status: Status.KEPT, started: 1, completed: 2, bytes: 100000 },
        { engine: 7, status: Status.LOST, payload: 2 },
      ],
    },
    payloads: [
      { codec: 'msgpack', parts: ['07'] },
      { codec: 'json', parts: ['7b7d'] },
    ],
    envelope:
      '080b1002320210013204080110015221080110012001290000000000408f40310000000000488f4039000000000000f03f5221100218012002290000000000408f40310000000000508f4039000000000000f03f522108021001180229000000000000f03f3100000000000000403900000000006af8405206080718032002',
  },
  { name: 'release', header: { kind: Kind.RELEASE, ids: [1, 2], targets: [0] }, envelope: '080c2a01005a020102' },
  {
    name: 'request',
    header: { kind: Kind.REQUEST, id: 4, op: 'fetch', ids: [2], engine: 3 },
    envelope: '080d1004220566657463685a01026803',
  },
  {
    name: 'response',
    header: { kind: Kind.RESPONSE, id: 4 },
    payloads: [{ codec: 'msgpack', parts: ['c0'] }],
    envelope: '080e100432021001',
  },
  {
    name: 'response, failed',
    header: { kind: Kind.RESPONSE, id: 5, failed: true },
    payloads: [{ codec: 'json', parts: ['7b7d'] }],
    envelope: '080e10053204080110016001',
  },
  {
    name: 'event: a line for the log',
    header: { kind: Kind.EVENT, op: 'log' },
    payloads: [{ codec: 'json', parts: ['7b226c6576656c223a22696e666f222c226d657373616765223a226d227d'] }],
    envelope: '080f22036c6f67320408011001',
  },
  { name: 'event', header: { kind: Kind.EVENT, op: 'size', id: 4 }, envelope: '080f1004220473697a65' },
  {
    name: 'output',
    header: { kind: Kind.OUTPUT, engine: 2, id: 6, stream: 2 },
    payloads: [{ codec: 'raw', parts: ['68690a'] }],
    envelope: '081010063204080210016802a80102',
  },
  {
    name: 'output that comes by a supervisor',
    header: { kind: Kind.OUTPUT, client: 3, id: 6, stream: 1, told: 24 },
    payloads: [{ codec: 'raw', parts: ['68690a'] }],
    envelope: '081010061803320408021001a80101c1010000000000003840',
  },
  {
    name: 'use of a paradigm',
    header: { kind: Kind.REQUEST, id: 1, op: '#use', paradigm: 'pubsub' },
    payloads: [{ codec: 'json', parts: ['7b2276657273696f6e223a22312e302e30227d'] }],
    envelope: '080d1001220423757365320408011001ba0106707562737562',
  },
  {
    name: 'ask, to the half on the controller',
    header: { kind: Kind.REQUEST, id: 2, op: 'topics', paradigm: 'pubsub' },
    envelope: '080d10022206746f70696373ba0106707562737562',
  },
  {
    name: 'ask, on its way from client 9 to an engine',
    header: { kind: Kind.REQUEST, id: 3, client: 9, op: 'deliver', paradigm: 'pubsub', code: ['ab12'] },
    payloads: [{ codec: 'msgpack', parts: ['c0'] }],
    envelope: '080d10031809220764656c6976657232021001420461623132ba0106707562737562',
  },
  {
    name: 'answer of an engine, on its way to its client',
    header: { kind: Kind.RESPONSE, id: 3, targets: [2], paradigm: 'pubsub' },
    payloads: [{ codec: 'msgpack', parts: ['01'] }],
    envelope: '080e10032a010232021001ba0106707562737562',
  },
  {
    name: 'tell, to two engines',
    header: { kind: Kind.EVENT, op: 'deliver', targets: [0, 2], paradigm: 'pubsub' },
    payloads: [{ codec: 'msgpack', parts: ['c3'] }],
    envelope: '080f220764656c697665722a02000232021001ba0106707562737562',
  },
  {
    name: 'stream',
    header: { kind: Kind.REQUEST, id: 4, op: 'subscribe', stream: 1, paradigm: 'pubsub' },
    payloads: [{ codec: 'json', parts: ['226122'] }],
    envelope: '080d10042209737562736372696265320408011001a80101ba0106707562737562',
  },
  {
    name: 'items of a stream',
    header: { kind: Kind.REQUEST, id: 5, op: '#pull', ids: [4], paradigm: 'pubsub' },
    payloads: [{ codec: 'json', parts: ['6e756c6c'] }],
    envelope: '080d100522052370756c6c3204080110015a0104ba0106707562737562',
  },
  {
    name: 'the last items of a stream',
    header: { kind: Kind.RESPONSE, id: 5, op: 'end', paradigm: 'pubsub' },
    payloads: [{ codec: 'json', parts: ['5b312c325d'] }],
    envelope: '080e10052203656e64320408011001ba0106707562737562',
  },
  {
    name: 'stop of what was asked',
    header: { kind: Kind.EVENT, op: '#stop', ids: [4], paradigm: 'pubsub' },
    envelope: '080f22052373746f705a0104ba0106707562737562',
  },
  {
    name: 'a half for an engine',
    header: { kind: Kind.EVENT, op: '#load', paradigm: 'pubsub' },
    payloads: [{ codec: 'raw', parts: ['3b'] }],
    envelope: '080f2205236c6f6164320408021001ba0106707562737562',
  },
];

export const frames: GoldenFrames[] = [
  {
    name: 'a message of three parts on lane 1',
    messages: [{ lane: 1, parts: ['0102', '', '03'] }],
    bytes: '130000003103000000020000000000000001000000010203',
  },
  {
    name: 'no parts, on lane 0, which goes first',
    messages: [
      { lane: 1, parts: ['ff'] },
      { lane: 0, parts: [] },
    ],
    bytes: '04000000300000000009000000310100000001000000ff',
  },
  {
    name: 'a grant, before all else',
    grant: 2_097_152,
    messages: [{ lane: 0, parts: ['00'] }],
    bytes: '0400000040000020000900000030010000000100000000',
  },
  {
    name: 'a goodbye, after all else',
    messages: [{ lane: 1, parts: ['00'] }],
    goodbye: 'bye',
    bytes: '09000000310100000001000000000300000080627965',
  },
  {
    name: 'a message of two frames',
    messages: [{ lane: 1, parts: ['aa*262144', 'bb'] }],
    bytes: '0c00040011020000000000040001000000 aa*262144 0100000021bb',
  },
];
