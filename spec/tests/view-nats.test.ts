import { test } from 'vitest';
import { overNats, sharedNats, withNats } from './support/nats.ts';
import { ownHome, shared, urlOf, visitor } from './support/shared.ts';
import { viewSuite } from './view-suite.ts';

withNats('by way of NATS', () => {
  ownHome();
  const server = sharedNats();
  const url = (): string => server().url('views');
  viewSuite(
    shared(() => visitor({ engines: 3, launcher: overNats(url), name: 'views', listen: [url()] }, urlOf('nats'))),
    { test },
  );
});
