import { describe, test } from 'vitest';
import { tls } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';
import { authority, withTls } from './support/certificates.ts';

const { ca, sign } = await authority();
const transport = withTls(tls(), await sign(), { ca });
describe('tls', () => transportCompliance({ transport, url: () => 'tls://127.0.0.1:0' }, { test }));
