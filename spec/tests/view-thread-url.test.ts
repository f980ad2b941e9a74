import { test } from 'vitest';
import { ownHome, shared, urlOf, visitor } from './support/shared.ts';
import { viewSuite } from './view-suite.ts';

ownHome();
viewSuite(
  shared(() => visitor({ engines: 3, name: 'view-thread-url', listen: ['thread:view-suite'] }, urlOf('thread'))),
  { test },
);
