import { randomBytes } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import type { Connection, Listener, ListenOptions } from '../../core/wire/transport.ts';
import { type NatsAddress, natsAddress, subjectsOf } from './address.ts';
import { Claim } from './claim.ts';
import { connectNats, watchNats } from './client.ts';
import { closeSoon, LEAVING, NatsLink } from './link.ts';
import { numberPacket, Packet, packet, textPacket, VERSION, viewOf } from './packets.ts';

/** Connections that are being made at a time. */
const AT_ONCE = 256;
/** ms between reminders of who is active, for those who have missed one. */
const REMIND = 2_000;

/** Its own connection to NATS comes back by itself; those that it grants have each their own. */
export async function listen(
  url: URL,
  accept: (connection: Connection) => void,
  { tenure }: ListenOptions = {},
): Promise<Listener> {
  const address = natsAddress(url);
  const nc = await connectNats(address, { reconnect: true, noEcho: true });
  const subjects = subjectsOf(address);
  const claim = new Claim(nc, address, tenure);
  const pending = new Set<string>();
  const grant = async (request: Msg): Promise<void> => {
    pending.add(request.reply!);
    try {
      await connectBack(address, request, tenure?.term ?? 0, accept);
    } catch {
      // It dials again, or is told by its own server what is wrong.
    } finally {
      pending.delete(request.reply!);
    }
  };
  const asked = nc.subscribe(subjects.dial, {
    callback: (error, msg) => {
      if (error || !msg.reply) return;
      if (msg.data[0] === Packet.CLAIM) claim.answer(msg);
      // A controller whose lease has run out answers nobody.
      if (msg.data[0] !== Packet.DIAL || !claim.held || tenure?.valid() === false) return;
      if (msg.data[1] !== VERSION) msg.respond(textPacket(Packet.REFUSE, `it speaks version ${VERSION} of nats:`));
      else if (pending.has(msg.reply)) return;
      else if (pending.size < AT_ONCE) void grant(msg);
      else msg.respond(textPacket(Packet.REFUSE, 'too many dial at once; try again'));
    },
  });
  try {
    await claim.make();
  } catch (error) {
    await nc.close();
    throw error;
  }
  void watchNats(nc, address, { leaving: () => void nc.reconnect() });
  const tell = (): void => {
    if (tenure?.valid()) nc.publish(subjects.term, numberPacket(Packet.TERM, tenure.term));
  };
  tell();
  const reminder = tenure && setInterval(tell, REMIND).unref();
  return {
    url: address.text,
    close: async () => {
      clearInterval(reminder);
      asked.unsubscribe();
      await closeSoon(nc);
    },
  };
}

async function connectBack(
  address: NatsAddress,
  request: Msg,
  term: number,
  accept: (connection: Connection) => void,
): Promise<void> {
  const nc = await connectNats(address);
  const own = subjectsOf(address).end(randomBytes(16).toString('hex'));
  const largest = Math.min(viewOf(request.data).getUint32(2, true), nc.info!.max_payload);
  const link = new NatsLink(nc, { remote: address.text, own, peer: request.reply!, largest });
  nc.subscribe(own, { callback: (error, msg) => link.take(error, msg) });
  const { bytes, view } = packet(Packet.ACCEPT, 13);
  view.setUint8(1, VERSION);
  view.setUint32(2, nc.info!.max_payload, true);
  view.setFloat64(6, term, true);
  nc.publish(request.reply!, bytes, { reply: own });
  void watchNats(nc, address, { leaving: () => link.lose(LEAVING) });
  accept(link.connection);
}
