import { cluster } from 'tutti';
import { mapReduceSuite } from './mapreduce-suite.ts';
import { shared } from './support/shared.ts';

mapReduceSuite(shared(() => cluster({ engines: 3, kind: 'thread' })));
