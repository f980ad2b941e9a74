/** What must never get into a log, taken out of it: keys and tokens, by the names of fields and by their look. */
import type { Logger } from './log.ts';

const HIDDEN = '[redacted]';
const SECRET_NAME = /token|secret|passw|authori[sz]ation|cookie|credential|proof|private|^key$|apikey/i;
/** `id.secret`, as keys are written in connection files and sent to engines; the id may be told. */
const TOKEN = /\b([\w-]{1,64})\.[0-9a-f]{16,}\b/gi;
/** As deep as anybody reads. */
const DEEPEST = 6;

export function redactedText(text: string): string {
  return text.replace(TOKEN, `$1.${HIDDEN}`);
}

/** A copy that can be written as JSON, without secrets. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (depth > DEEPEST) return '…';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return redacted(toJSON.call(value), depth + 1);
  const plain: Record<string, unknown> = {};
  if (value instanceof Error) {
    plain.name = value.name;
    plain.message = redactedText(value.message);
    plain.stack = redactedText(value.stack ?? '');
  }
  for (const [name, inner] of Object.entries(value))
    plain[name] = SECRET_NAME.test(name) && inner !== undefined ? HIDDEN : redacted(inner, depth + 1);
  return plain;
}

/** Everything that is logged goes through here before anybody sees it. A logger that throws costs its line, and nothing else. */
export function redacting(log: Logger): Logger {
  const clean = (level: keyof Logger) => (message: string, fields?: object) => {
    try {
      log[level](redactedText(message), fields && (redacted(fields) as object));
    } catch {
      // what was to be told goes on
    }
  };
  return { debug: clean('debug'), info: clean('info'), warn: clean('warn'), error: clean('error') };
}
