/**
 * Endpoint strings: addresses as `tcp:host=127.0.0.1:port=7777` or, by position, `tcp:127.0.0.1:7777`. `:` parts the
 * arguments, the first `=` in one assigns, `\` takes the next character as it is.
 */
import { UsageError } from '../errors.ts';

interface Argument {
  key: string | undefined;
  value: string;
  /** Where in the text it begins, and where its value does. */
  at: number;
  valueAt: number;
}

const NETWORK = ['host', 'port'] as const;
/** What each prefix takes, in the order that arguments without a key have. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  tcp: NETWORK,
  tls: NETWORK,
  ws: [...NETWORK, 'path'],
  wss: [...NETWORK, 'path'],
  nats: [...NETWORK, 'path'],
  unix: ['path'],
};

/** The URL that an address stands for, be it one already or an endpoint string. Throws UsageError, which points at the fault. */
export function endpointUrl(address: string): string {
  refuseSecrets(address);
  const [, prefix = '', rest = ''] = /^([a-z]+):([\s\S]*)$/i.exec(address) ?? [];
  const scheme = prefix.toLowerCase();
  const known = Object.hasOwn(ARGUMENTS, scheme) ? ARGUMENTS[scheme] : undefined;
  if (!known || rest.startsWith(scheme === 'unix' ? '/' : '//')) return address;
  return urlOf(address, scheme, assign(address, argumentsOf(address, prefix.length + 1), known));
}

/** Writes a value so that an endpoint string takes it as it is. */
export function quoteEndpoint(value: string): string {
  return value.replace(/[\\:=]/g, '\\$&');
}

/** The text may be shown to many: in a list of processes, in logs, in this error itself if it were repeated here. */
function refuseSecrets(address: string): void {
  if (!/^[a-z][\w+.-]*:\/\/[^/?#]*@/i.test(address)) return;
  throw new UsageError(
    'A URL with a user or password in it; secrets do not belong in URLs. Write it without what stands before the @, and put the token into the environment variable TUTTI_TOKEN',
  );
}

function argumentsOf(text: string, start: number): Argument[] {
  const found: Argument[] = [];
  let one: Argument = { key: undefined, value: '', at: start, valueAt: start };
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') {
      if (++i === text.length) throw fault(text, i - 1, "a '\\' at the end, with nothing behind it to take as it is");
      one.value += text[i]!;
    } else if (c === ':') {
      found.push(one);
      one = { key: undefined, value: '', at: i + 1, valueAt: i + 1 };
    } else if (c === '=' && one.key === undefined) one = { ...one, key: one.value, value: '', valueAt: i + 1 };
    else one.value += c;
  }
  return [...found, one];
}

/** By name; those without a key take the names in order. */
function assign(text: string, list: readonly Argument[], names: readonly string[]): Map<string, Argument> {
  const given = new Map<string, Argument>();
  let position = 0;
  for (const one of list) {
    const name = one.key ?? names[position++];
    if (name === undefined) throw fault(text, one.at, `one argument too many; it takes ${names.join(', ')}`);
    if (!names.includes(name)) throw fault(text, one.at, `it has no argument '${name}'; it takes ${names.join(', ')}`);
    if (given.has(name)) throw fault(text, one.at, `'${name}' is given twice`);
    given.set(name, one);
  }
  return given;
}

function urlOf(text: string, scheme: string, given: ReadonlyMap<string, Argument>): string {
  const need = (name: string, test: RegExp, is: string): string => {
    const one = given.get(name);
    if (!one) throw fault(text, text.length, `'${name}' is missing`);
    if (!test.test(one.value)) throw fault(text, one.valueAt, `${name} is ${is}`);
    return one.value;
  };
  const path = (): string => escaped(need('path', /^\/[^\0\p{Cs}]*$/u, 'a path that begins with /'));
  if (scheme === 'unix') return `unix:${path()}`;
  const host = need('host', /^[^\s\\/?#@[\]%<>^|]+$/, 'a name or an address');
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const port = need('port', /^\d{1,5}$/, 'a number from 0 to 65535');
  const url = `${scheme}://${bracketed}:${port}${given.has('path') ? path() : ''}`;
  if (Number(port) > 65_535) throw fault(text, given.get('port')!.valueAt, 'port is a number from 0 to 65535');
  if (!URL.canParse(url)) throw fault(text, given.get('host')!.valueAt, 'host is a name or an address');
  return url;
}

/** Several slashes at its start would read as a host. */
function escaped(path: string): string {
  return path.replace(/^\/+/, '/').split('/').map(encodeURIComponent).join('/');
}

function fault(text: string, at: number, what: string): UsageError {
  return new UsageError(`This is no endpoint: ${what}${pointedAt(text, at)}`);
}

/** The text on a line of its own, and a caret below the place. */
export function pointedAt(text: string, at: number): string {
  // What takes no column, or a line of its own, would put the caret in the wrong place.
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
  return `\n  ${plain}\n  ${' '.repeat([...plain.slice(0, at)].length)}^`;
}
