import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cluster } from 'tutti';
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../core/wire/codec.ts';
import { Kind, pack, unpack } from '../../core/wire/envelope.ts';
import { FrameAssembler } from '../../core/wire/frame-assembler.ts';
import { FrameBatch } from '../../core/wire/frame-batch.ts';
import { Outbox } from '../../core/wire/frame-outbox.ts';
import { FrameReader } from '../../core/wire/frame-reader.ts';
import { cut } from '../../core/wire/framing.ts';
import { Formed, frames, messages, values } from '../wire/golden.ts';
import { ForeignClient } from './foreign-client.ts';

/** `xx*n` is n times the same; blanks mean nothing. */
function bytesOf(hex: string): Uint8Array {
  const runs = hex.split(' ').map((run) => {
    const [piece, times] = run.split('*');
    return Buffer.from(piece!.repeat(Number(times ?? 1)), 'hex');
  });
  return Uint8Array.from(Buffer.concat(runs));
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Bytes as hex and large integers as numbers, without defaults, so that what was written and what was read compare. */
function plain(thing: any): unknown {
  if (thing instanceof Uint8Array) return hexOf(thing);
  if (Array.isArray(thing)) return thing.map(plain);
  if (typeof thing !== 'object' || thing === null) return thing;
  if ('low' in thing) return Number(thing);
  const there = Object.entries(thing).filter(([, value]) => value !== 0);
  return Object.fromEntries(there.map(([key, value]) => [key, plain(value)]));
}

describe('values', () => {
  test.each(values)('$name', ({ make, foreign, codec, parts }) => {
    const hooks = { form: (x: object) => (x instanceof Formed ? x.form : undefined) };
    const payload = encode(make(), { hooks, ...(codec && { codec }) });
    expect(payload.parts.map(hexOf)).toEqual(parts.map((part) => hexOf(bytesOf(part))));
    const back = decode(
      { codec: codec ?? 'msgpack', parts: parts.map(bytesOf) },
      { revive: (form) => ({ value: new Formed(form) }) },
    );
    if (foreign) expect(encode(back).parts.map(hexOf)).toEqual(parts);
    else expect(back).toStrictEqual(make());
  });
});

describe('messages', () => {
  test.each(messages)('$name', ({ header, payloads = [], envelope }) => {
    const given = payloads.map(({ codec, parts }) => ({ codec, parts: parts.map(bytesOf) }));
    const packed = pack({ ...header }, given);
    expect(packed.map(hexOf)).toEqual([envelope, ...payloads.flatMap((p) => p.parts)]);
    const back = unpack([bytesOf(envelope), ...given.flatMap((p) => p.parts)]);
    expect(plain(back.header)).toMatchObject(plain(header) as object);
    expect(back.payloads).toEqual(given);
  });

  test('every kind has its entry', () => {
    const there = new Set(messages.map(({ header }) => header.kind));
    const missing = Object.entries(Kind).filter(
      ([name, kind]) => name !== 'NONE' && typeof kind === 'number' && !there.has(kind),
    );
    expect(missing).toEqual([]);
  });
});

describe('frames', () => {
  test.each(frames)('$name', ({ messages = [], grant = 0, goodbye, bytes }) => {
    const outbox = new Outbox();
    for (const { lane, parts } of messages) outbox.push(parts.map(bytesOf), lane, false);
    outbox.grant = grant;
    outbox.goodbye = goodbye;
    const batch = new FrameBatch();
    cut(outbox, batch);
    batch.finish();
    expect(hexOf(Buffer.concat(batch.buffers))).toBe(hexOf(bytesOf(bytes)));

    const heard: { lane: number; parts: string[] }[] = [];
    const said: unknown[] = [];
    const assembler = new FrameAssembler({
      room: Number.POSITIVE_INFINITY,
      message: (parts, lane) => heard.push({ lane, parts: parts.map(hexOf) }),
      arrived: () => {},
      credited: (weight) => said.push(weight) > 0,
      goodbye: (reason) => said.push(reason),
    });
    assembler.allowLarge();
    const all = bytesOf(bytes);
    new FrameReader(assembler).push(all, 0, all.length);
    const sent = messages.map(({ lane, parts }) => ({ lane, parts: parts.map((p) => hexOf(bytesOf(p))) }));
    expect(heard).toEqual(sent.sort((a, b) => a.lane - b.lane));
    expect(said).toEqual([...(grant ? [grant] : []), ...(goodbye === undefined ? [] : [goodbye])]);
  });
});

test('a client that shares no code with tutti, and speaks JSON alone', async () => {
  const name = `foreign-${process.pid}`;
  process.env.TUTTI_HOME = path.join(tmpdir(), name);
  await using host = await cluster({
    engines: 2,
    kind: 'thread',
    name,
    listen: ['tcp://127.0.0.1:0'],
    output: 'ignore',
  });
  const info = JSON.parse(readFileSync(path.join(process.env.TUTTI_HOME, `${name}.json`), 'utf8'));
  const client = new ForeignClient(info.urls.find((url: string) => url.startsWith('tcp:')));
  await client.join(info.token);
  expect(client.welcome).toMatchObject({ name, engines: [{ id: 0 }, { id: 1 }] });

  const pushed = await client.call(1, 'push', [1], [{ x: [1, 'two', null] }]);
  expect(pushed.header.results).toMatchObject([{ engine: 1, incarnation: 1, status: 0, payload: 1 }]);
  expect(pushed.values).toEqual([null]);
  const pulled = await client.call(2, 'pull', [1], ['x']);
  expect(pulled.values).toEqual([[1, 'two', null]]);
  expect(await host.engine(1).pull('x')).toEqual([1, 'two', null]);

  const cell = { url: 'foreign-1', declared: [], wrapped: false, async: false, params: [] };
  const executed = await client.call(3, 'execute', [0], [{ ...cell, code: 'engine.id + 6 * 7' }]);
  expect(executed.values).toEqual([42]);
  const shown = await client.call(4, 'execute', [0], [{ ...cell, code: 'new Map([[1, 2]])' }]);
  expect(shown.values).toEqual(['Map(1) { 1 => 2 }']);
  const thrown = await client.call(5, 'execute', [0], [{ ...cell, code: 'throw new RangeError("too far")' }]);
  expect(thrown.header.results).toMatchObject([{ engine: 0, status: 1, payload: 1 }]);
  expect(thrown.values).toMatchObject([
    { name: 'RangeError', message: 'too far', stack: expect.stringMatching('foreign-1') },
  ]);
  const lost = await client.call(6, 'pull', [9], ['x']);
  expect(lost.header.results).toMatchObject([{ engine: 9, status: 3 }]);
  expect(lost.values).toMatchObject([{ name: 'InvalidTargetError', code: 'INVALID_TARGET' }]);

  expect((await client.request(1, 'status', null)).values).toMatchObject([{ name, clients: 2 }]);
  const failed = await client.request(2, 'nonsense', null);
  expect(failed.header.failed).toBe(true);
  expect(failed.values).toMatchObject([{ name: 'ProtocolError', message: "Unknown request 'nonsense'" }]);
  client.leave();
  await expect.poll(async () => (await host.status()).clients).toBe(1);
});
