import { test } from 'vitest';
import { ownHome, shared, visitor } from './support/shared.ts';
import { viewSuite } from './view-suite.ts';

ownHome();
viewSuite(
  shared(() => visitor({ engines: 3, name: 'view-unix' }, () => 'view-unix')),
  { test },
);
