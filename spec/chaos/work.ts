/** What runs on the engines. It writes down that it ran, before anything else, where no kill can take it back. */
export interface Done {
  token: number;
  /** Of the engine's process or thread. */
  life: string;
  data: Uint8Array | undefined;
  /** The token of the result that it was given. */
  used: number | undefined;
}

export function work(
  file: string,
  token: number,
  ms: number,
  bytes: number,
  given: Done | undefined,
): Done | Promise<Done> {
  const scope = globalThis as { life?: string };
  scope.life ??= Math.random().toString(36).slice(2);
  const { appendFileSync } = process.getBuiltinModule('node:fs');
  appendFileSync(file, `${token} ${scope.life}\n`);
  const data = bytes ? new Uint8Array(bytes).fill(token % 251) : undefined;
  const done: Done = { token, life: scope.life, data, used: given?.token };
  return ms ? new Promise((resolve) => setTimeout(() => resolve(done), ms)) : done;
}
