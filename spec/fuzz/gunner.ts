/** One connection of the fuzz: in as somebody, wild frames, then one that ends it. */
import type { Host } from '../../core/controller/host.ts';
import { Kind } from '../../core/wire/envelope.ts';
import { type Aim, brokenEnvelope, brokenFrame, type Fate, type Shot, wild } from './frames.ts';
import type { Random } from './random.ts';
import { type End, RawPeer } from './raw-peer.ts';

export type As = 'stranger' | 'client' | 'observer' | 'engine' | 'peer';

export interface Range {
  url: string;
  host: Host;
  engines: readonly number[];
  /** Where an engine listens for others, with a ticket that is good once. */
  ticket(): Promise<{ url: string; token: string }>;
}

export interface Outcome {
  as: As;
  remote: string;
  fate: Fate;
  end: End;
  frames: number;
}

const MARK = 2 ** 30;

/** Joins as what `as` says. */
export async function join(range: Range, as: Exclude<As, 'stranger'>): Promise<RawPeer> {
  const { token, observerToken, engineToken } = range.host.outside;
  const ticket = as === 'peer' ? await range.ticket() : undefined;
  const peer = await RawPeer.open(ticket?.url ?? range.url);
  const tokens = { client: token, observer: observerToken!, engine: engineToken!, peer: ticket?.token ?? '' };
  await peer.shakeHands(as, tokens[as], { host: 'elsewhere', pid: 1, kind: 'fuzz', cwd: '/', node: 'v0' });
  return peer;
}

export async function shoot(range: Range, as: As, r: Random, most: number): Promise<Outcome> {
  if (as === 'stranger') return shootUnknown(range, r);
  const peer = await join(range, as);
  const role = as === 'peer' ? 'peer' : as;
  const aim: Aim = { role, engines: range.engines, call: 0, request: 0 };
  const shots = Array.from({ length: r.int(most >> 1, most) }, () => wild(r, aim));
  write(peer, shots, r);
  await answers(peer);
  const last = r.chance(0.5) ? brokenFrame(r) : brokenEnvelope(r, aim);
  return { as, ...(await finish(peer, last)), frames: shots.length + 2 };
}

/** The session is alive: everything before this was read. */
export async function answers(peer: RawPeer): Promise<void> {
  const answered = peer.next((header) => header.kind === Kind.RESPONSE && header.id === MARK);
  peer.say({ kind: Kind.REQUEST, id: MARK, op: 'are you there?' });
  await answered;
}

/** Writes what ends it, and waits until it is over. */
export async function finish(peer: RawPeer, last: Shot): Promise<Pick<Outcome, 'remote' | 'fate' | 'end'>> {
  peer.write(last.bytes);
  if (last.fate !== 'dropped') peer.finish();
  await peer.gone;
  return { remote: peer.remote, fate: last.fate, end: peer.end };
}

async function shootUnknown(range: Range, r: Random): Promise<Outcome> {
  const peer = await RawPeer.open(r.chance(0.2) ? (await range.ticket()).url : range.url);
  const aim: Aim = { role: r.pick(['client', 'observer', 'engine']), engines: range.engines, call: 0, request: 0 };
  const make = [brokenFrame, brokenEnvelope, wild];
  const shots = Array.from({ length: r.int(1, 6) }, () => r.pick(make)(r, aim));
  write(peer, shots, r);
  peer.finish();
  await peer.gone;
  return { as: 'stranger', remote: peer.remote, fate: 'may be dropped', end: peer.end, frames: shots.length };
}

/** In a few writes that are cut anywhere. */
function write(peer: RawPeer, shots: readonly Shot[], r: Random): void {
  const bytes = Buffer.concat(shots.map((shot) => shot.bytes));
  const cut = r.int(0, bytes.length);
  peer.write(bytes.subarray(0, cut));
  peer.write(bytes.subarray(cut));
}
