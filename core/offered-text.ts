/** What a value says of itself to notebooks and consoles: a method under this symbol that gives representations by media type. */
const DISPLAY = Symbol.for('Jupyter.display');
const TEXTS = ['text/plain', 'text/markdown'];

/** Its text, if it offers one. A method that throws, or takes its time, offers none. */
export function offeredText(value: unknown): string | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    const display = (value as Record<symbol, unknown>)[DISPLAY];
    if (typeof display !== 'function') return undefined;
    const offered = display.call(value) as Record<string, unknown> | null;
    return TEXTS.map((type) => offered?.[type]).find((text): text is string => typeof text === 'string');
  } catch {
    return undefined;
  }
}
