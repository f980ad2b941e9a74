import { test } from 'vitest';
import { nats } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';
import { sharedNats, withNats } from './support/nats.ts';

withNats('nats', () => {
  const server = sharedNats();
  let n = 0;
  transportCompliance({ transport: nats(), url: () => server().url(`n${n++}`) }, { test });
});

withNats('nats, through a server that takes 4 kB at a time', () => {
  const server = sharedNats({ config: 'max_payload: 4096' });
  let n = 0;
  transportCompliance({ transport: nats(), url: () => server().url(`n${n++}`) }, { test });
});
