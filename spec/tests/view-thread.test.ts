import { cluster } from 'tutti';
import { test } from 'vitest';
import { shared } from './support/shared.ts';
import { viewSuite } from './view-suite.ts';

viewSuite(
  shared(() => cluster({ engines: 3, kind: 'thread', output: 'ignore' })),
  { test },
);
