/** The rules of matching: against a list that does what the standard says, word for word; and ranks that talk over every link. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Matching } from '../../paradigms/mpi/matching.ts';
import { Messenger } from '../../paradigms/mpi/messenger.ts';
import { packed, unpacked } from '../../paradigms/mpi/packet.ts';
import { selfLink } from '../../paradigms/mpi/self-link.ts';
import { SharedLinks } from '../../paradigms/mpi/shared-links.ts';
import { SharedMemory } from '../../paradigms/mpi/shared-memory.ts';

const key = {
  context: fc.integer({ min: 0, max: 1 }),
  source: fc.integer({ min: 0, max: 2 }),
  tag: fc.integer({ min: 0, max: 2 }),
};
const wanted = { ...key, source: fc.integer({ min: -1, max: 2 }), tag: fc.integer({ min: -1, max: 2 }) };
const step = fc.oneof(
  fc.record({ do: fc.constant('arrive' as const), ...key }),
  fc.record({ do: fc.constantFrom('post' as const, 'probe' as const, 'extract' as const), ...wanted }),
  fc.record({ do: fc.constant('cancel' as const), which: fc.nat(20) }),
);

interface Entry {
  id: number;
  context: number;
  source: number;
  tag: number;
}
const fits = (receive: Entry, message: Entry): boolean =>
  receive.context === message.context &&
  [-1, message.source].includes(receive.source) &&
  [-1, message.tag].includes(receive.tag);

test('matching does what the standard says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const matching = new Matching<Entry, Entry>();
      const posted: Entry[] = [];
      const unexpected: Entry[] = [];
      /** Sources that have messages, by context: whose turn it is first. */
      const turns: number[][] = [[], []];
      const choose = (wanted: Entry, remove: boolean): Entry | undefined => {
        const order = turns[wanted.context]!;
        const source = order.find((s) => unexpected.some((e) => e.source === s && fits(wanted, e)));
        const found = first(unexpected, (e) => e.source === source && fits(wanted, e), remove);
        if (!found || !remove) return found;
        const left = unexpected.some((e) => e.context === wanted.context && e.source === source);
        if (left && wanted.source !== -1) return found;
        order.splice(order.indexOf(source!), 1);
        if (left) order.push(source!);
        return found;
      };
      const all: Entry[] = [];
      const first = (list: Entry[], which: (e: Entry) => boolean, remove: boolean): Entry | undefined => {
        const at = list.findIndex(which);
        return remove && at >= 0 ? list.splice(at, 1)[0] : list[at];
      };
      steps.forEach((s, id) => {
        if (s.do === 'cancel') {
          const receive = all[s.which % Math.max(all.length, 1)];
          if (!receive) return;
          const waits = first(posted, (e) => e === receive, true) !== undefined;
          expect(matching.cancel(receive)).toBe(waits);
          return;
        }
        const entry: Entry = { id, context: s.context, source: s.source, tag: s.tag };
        if (s.do === 'arrive') {
          const receive = first(posted, (e) => fits(e, entry), true);
          if (!receive) {
            unexpected.push(entry);
            if (!turns[entry.context]!.includes(entry.source)) turns[entry.context]!.push(entry.source);
          }
          expect(matching.arrive(entry)).toBe(receive);
        } else if (s.do === 'post') {
          const message = choose(entry, true);
          if (!message) posted.push(entry);
          all.push(entry);
          expect(matching.post(entry)).toBe(message);
        } else expect(matching[s.do](entry)).toBe(choose(entry, s.do === 'extract'));
      });
      expect(matching.posted().length).toBe(posted.length);
    }),
    { numRuns: 300 },
  );
});

/** Ranks in one thread, with the rings that threads have. */
function ranks(count: number): { messengers: Messenger[]; poll(): void } {
  const memory = SharedMemory.create(count);
  const members = Array.from({ length: count }, (_, i) => i);
  const messengers = members.map(() => new Messenger({ expects: () => true, control() {}, deserted: () => undefined }));
  const links = members.map((i) => new SharedLinks(memory, members, i, messengers[i]!));
  for (const i of members)
    for (const j of members) messengers[i]!.connect(j, i === j ? selfLink(i, messengers[i]!) : links[i]!.linkTo(j));
  return {
    messengers,
    poll() {
      for (let busy = true; busy; ) {
        busy = false;
        for (const link of links) if (link.poll()) busy = true;
      }
    },
  };
}

test('messages of all sizes, in any order of sends and receives, arrive whole, in order, and where they belong', () => {
  const sizes = [0, 1, 8, 47, 48, 49, 4_000, 16_384, 16_385, 100_000, 1 << 20, 1_500_001];
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          from: fc.nat(2),
          to: fc.nat(2),
          tag: fc.nat(1),
          context: fc.constantFrom(0, 2),
          size: fc.constantFrom(...sizes),
          synchronous: fc.boolean(),
          any: fc.boolean(),
          poll: fc.boolean(),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      fc.infiniteStream(fc.nat()),
      (messages, random) => {
        const { messengers, poll } = ranks(3);
        const sends: { settled: boolean }[] = [];
        const receives: { settled: boolean; take(): unknown; status: { source: number } }[][] = [[], [], []];
        const sent: string[] = [];
        // Receives that take from anybody come as often as there are messages for them, before or after.
        const tasks = messages.flatMap((m, i) => [
          { kind: 'send' as const, i, ...m },
          { kind: 'receive' as const, i, ...m },
        ]);
        for (let left = tasks.length; left > 0; left--) {
          const pick = (random.next().value as number) % left;
          const task = tasks.splice(pick, 1)[0]!;
          const { from, to, tag, context, size, synchronous, any } = task;
          if (task.kind === 'send') {
            const bytes = new Uint8Array(size).fill(task.i);
            const envelope = { context, source: from, tag };
            sends.push(messengers[from]!.send(to, packed([sends.length, bytes]), envelope, synchronous, 'send'));
            sent.push(`${from}-${to}-${tag}-${context}`);
          } else {
            const as = (packet: any): unknown => unpacked(packet);
            const source = any ? -1 : from;
            receives[to]!.push(
              messengers[to]!.receive({ context, source, tag: any ? -1 : tag, from: source, as, what: 'recv' }),
            );
          }
          if (task.poll) poll();
        }
        poll();
        // Wildcards may have taken what others waited for: take the rest with wildcards too.
        for (const to of [0, 1, 2])
          for (const context of [0, 2])
            while (messengers[to]!.matching.probe({ context, source: -1, tag: -1 })) {
              const as = (packet: any): unknown => unpacked(packet);
              receives[to]!.push(messengers[to]!.receive({ context, source: -1, tag: -1, from: -1, as, what: 'recv' }));
              poll();
            }
        const got = receives.flat().filter((r) => r.settled);
        expect(got.length).toBe(messages.length);
        expect(sends.every((s) => s.settled)).toBe(true);
        const numbers = got.map((r) => (r.take() as [number, Uint8Array])[0]).sort((a, b) => a - b);
        expect(numbers).toEqual(sent.map((_, i) => i));
        for (const r of got) {
          const [, bytes] = r.take() as [number, Uint8Array];
          expect(bytes.every((b) => b === bytes[0])).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('messages of one sender that fit one receive come in the order in which they were sent', () => {
  const { messengers, poll } = ranks(2);
  const [a, b] = messengers as [Messenger, Messenger];
  const sizes = [100_000, 8, 3 << 20, 0, 16_385, 1];
  for (let i = 0; i < 600; i++)
    a.send(
      1,
      packed([i, new Uint8Array(sizes[i % sizes.length]!)]),
      { context: 0, source: 0, tag: i % 3 },
      false,
      'send',
    );
  const order: number[] = [];
  for (let i = 0; i < 600; i++) {
    const r = b.receive({
      context: 0,
      source: -1,
      tag: -1,
      from: -1,
      as: (p) => unpacked(p) as [number],
      what: 'recv',
    });
    poll();
    order.push(r.take()[0]);
  }
  expect(order).toEqual(Array.from({ length: 600 }, (_, i) => i));
});

test('who takes from anybody takes from those who have sent in turn', () => {
  const matching = new Matching<Entry, Entry>();
  let id = 0;
  const arrive = (source: number): void => void matching.arrive({ id: id++, context: 0, source, tag: 0 });
  for (let i = 0; i < 5; i++) arrive(7);
  for (let i = 0; i < 2; i++) arrive(3);
  arrive(5);
  const anybody: Entry = { id: -1, context: 0, source: -1, tag: -1 };
  const order: number[] = [];
  for (let i = 0; i < 8; i++) order.push(matching.post(anybody)!.source);
  expect(order).toEqual([7, 3, 5, 7, 3, 7, 7, 7]);
  expect(matching.quiet(0)).toBe(true);
});
