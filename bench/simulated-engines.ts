/** Engines that answer every call with `undefined`, and beat: a crowd of them in one process. */
import { hostname } from 'node:os';
import type { ConnectionInfo } from 'tutti';
import { encode } from '../core/wire/codec.ts';
import { dialSession } from '../core/wire/dialled-session.ts';
import { Kind, Status } from '../core/wire/envelope.ts';
import { parseToken } from '../core/wire/handshake.ts';
import type { Session } from '../core/wire/session.ts';
import '../transports/builtin.ts';

const [count] = process.argv.slice(2).map(Number);
const nothing = encode(undefined);

process.once('message', ({ urls, engineToken }: ConnectionInfo) => {
  const local = urls.filter((url) => url.startsWith('unix:'));
  for (let i = 0; i < count!; i++) void join(local, engineToken!);
});

async function join(urls: string[], token: string): Promise<void> {
  let session: Session;
  let self = { engine: -1, incarnation: 0 };
  await dialSession({
    urls,
    role: 'engine',
    key: parseToken(token),
    window: 60_000,
    about: () => ({ host: hostname(), pid: process.pid, kind: 'simulated', cwd: '/', node: process.version }),
    handlers: {
      opened(opened, about) {
        session = opened;
        self = about;
        setTimeout(() => setInterval(() => session.beat({}), about.beat), about.beat * Math.random());
      },
      message(header) {
        if (header.kind !== Kind.CALL) return;
        const { engine, incarnation } = self;
        const now = Date.now();
        const result = { engine, incarnation, status: Status.OK, started: now, completed: now, bytes: 0, told: 0 };
        session.send({ kind: Kind.REPLY, client: header.client, id: header.id, results: [result] }, [nothing]);
      },
      ended: () => {},
    },
  });
}
