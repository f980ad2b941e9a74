import { describe, test } from 'vitest';
import { thread } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';

let n = 0;
describe('thread', () => transportCompliance({ transport: thread(), url: () => `thread:${n++}` }, { test }));
