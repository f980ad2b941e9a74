import { test } from 'vitest';
import { ownHome, shared, urlOf, visitor } from './support/shared.ts';
import { viewSuite } from './view-suite.ts';

ownHome();
viewSuite(
  shared(() =>
    visitor({ engines: 3, kind: 'thread', name: 'view-ws', listen: ['ws:127.0.0.1:0:/tutti'] }, urlOf('ws')),
  ),
  { test },
);
