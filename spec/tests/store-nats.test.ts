import { test } from 'vitest';
import { natsStores } from '../../transports/nats/index.ts';
import { storeCompliance } from '../compliance/store.ts';
import { sharedNats, withNats } from './support/nats.ts';

withNats('JetStream', () => {
  const server = sharedNats({ jetstream: true });
  let n = 0;
  const place = (): string => server().url(`s${n++}`);
  storeCompliance({ place, provider: natsStores, persists: true }, { test });
});
