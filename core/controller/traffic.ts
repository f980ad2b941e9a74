/** What went over sessions, also over those that have ended. */
import type { Traffic } from '../cluster-status.ts';
import type { Session } from '../wire/session.ts';

export function noTraffic(): Traffic {
  return { messagesSent: 0, messagesReceived: 0, bytesSent: 0, bytesReceived: 0 };
}

export function addTraffic(total: Traffic, more: Traffic): void {
  total.messagesSent += more.messagesSent;
  total.messagesReceived += more.messagesReceived;
  total.bytesSent += more.bytesSent;
  total.bytesReceived += more.bytesReceived;
}

export function trafficOf({ sent, received, bytesSent, bytesReceived }: Session): Traffic {
  return { messagesSent: sent, messagesReceived: received, bytesSent, bytesReceived };
}

export function sumOf(parts: Iterable<Traffic>): Traffic {
  const total = noTraffic();
  for (const part of parts) addTraffic(total, part);
  return total;
}
