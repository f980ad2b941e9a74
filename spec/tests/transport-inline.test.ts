import { describe, test } from 'vitest';
import { inline } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';

let n = 0;
describe('inline', () => transportCompliance({ transport: inline(), url: () => `inline:${n++}` }, { test }));
