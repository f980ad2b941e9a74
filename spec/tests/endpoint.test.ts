import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointUrl, quoteEndpoint } from '../../core/wire/endpoint.ts';

test.each([
  ['tcp:127.0.0.1:7777', 'tcp://127.0.0.1:7777'],
  ['tcp:host=127.0.0.1:port=7777', 'tcp://127.0.0.1:7777'],
  ['TCP:port=7777:host=example.org', 'tcp://example.org:7777'],
  ['tls:example.org:port=0', 'tls://example.org:0'],
  ['tcp:host=\\:\\:1:port=7777', 'tcp://[::1]:7777'],
  ['ws:host=localhost:port=80:path=/tutti', 'ws://localhost:80/tutti'],
  ['wss:localhost:443:/a\\:b\\=c', 'wss://localhost:443/a%3Ab%3Dc'],
  ['unix:path=/tmp/x.sock', 'unix:/tmp/x.sock'],
  ['unix:path=/a=b', 'unix:/a%3Db'],
  ['unix:path=//tmp/with space', 'unix:/tmp/with%20space'],
  ['unix:/tmp/x.sock', 'unix:/tmp/x.sock'],
  ['tcp://127.0.0.1:7777', 'tcp://127.0.0.1:7777'],
  ['inline:name', 'inline:name'],
  ['pigeon:host=home', 'pigeon:host=home'],
])('%s is %s', (endpoint, url) => {
  expect(endpointUrl(endpoint)).toBe(url);
});

describe('a fault is pointed at', () => {
  test.each([
    ['tcp:127.0.0.1:7777\\', "a '\\' at the end", 18],
    ['tcp:127.0.0.1', "'port' is missing", 13],
    ['tcp:127.0.0.1:99999', 'port is a number', 14],
    ['tcp:127.0.0.1:port=seven', 'port is a number', 19],
    ['tcp:host=a b:port=1', 'host is a name', 9],
    ['tcp:::1:7777', 'too many; it takes host, port', 6],
    ['tcp::7777', 'host is a name', 4],
    ['tcp:host=\\:\\:zz:port=1', 'host is a name', 9],
    ['tcp:localhost:1:2', 'too many; it takes host, port', 16],
    ['tcp:localhost:1:host=b', "'host' is given twice", 16],
    ['tcp:localhost:1:path=/x', "no argument 'path'", 16],
    ['ws:localhost:1:tutti', 'path is a path that begins with /', 15],
    ['unix:x.sock', 'path is a path that begins with /', 5],
    ['unix:path=/a\0b', 'path is a path that begins with /', 10],
  ])('%j', (endpoint, what, column) => {
    let message = '';
    try {
      endpointUrl(endpoint);
    } catch (error) {
      message = (error as Error).message;
    }
    const [sentence, text, caret] = message.split('\n');
    expect(sentence).toContain(what);
    expect([text!.slice(2), caret!.indexOf('^') - 2]).toEqual([endpoint.replace('\0', ' '), column]);
  });
});

test('secrets in a URL are refused, and not repeated', () => {
  for (const url of ['tcp://me:hunter2@host:1', 'wss://hunter2@host:1/x', 'loop://a:hunter2@b']) {
    expect(() => endpointUrl(url)).toThrow(/TUTTI_TOKEN/);
    expect(() => endpointUrl(url)).not.toThrow(/hunter2/);
  }
  expect(endpointUrl('ws://host:1/a@b')).toBe('ws://host:1/a@b');
});

test('any path comes through quoting as it was', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !/^\.\.?$|[/\0\p{Cs}]/u.test(s));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), fc.boolean(), (names, byKey) => {
      const path = `/${names.join('/')}`;
      const key = byKey ? 'path=' : '';
      const ws = new URL(endpointUrl(`ws:localhost:1:${key}${quoteEndpoint(path)}`));
      expect(decodeURIComponent(ws.pathname)).toBe(path);
      const unix = new URL(endpointUrl(`unix:path=${quoteEndpoint(path)}`));
      expect(decodeURIComponent(unix.pathname)).toBe(path);
    }),
  );
});

test('whatever is given: a URL, or an error with its caret', () => {
  const piece = fc.constantFrom(
    'tcp',
    'unix',
    'ws',
    ':',
    '=',
    '\\',
    'host',
    'port',
    'path',
    '/',
    '1',
    'é',
    '👥',
    ' ',
    '[',
    '@',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('');
      try {
        expect(typeof endpointUrl(text)).toBe('string');
      } catch (error) {
        expect((error as { code: string }).code).toBe('USAGE');
        expect((error as Error).message).toMatch(/\^$|TUTTI_TOKEN/);
      }
    }),
  );
});
