import { describe, test } from 'vitest';
import { ws } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';
import { authority, withTls } from './support/certificates.ts';

const { ca, sign } = await authority();
const secure = withTls(ws(), await sign(), { ca });
describe('ws', () => transportCompliance({ transport: ws(), url: () => 'ws://127.0.0.1:0/tutti' }, { test }));
describe('wss', () => transportCompliance({ transport: secure, url: () => 'wss://127.0.0.1:0' }, { test }));
