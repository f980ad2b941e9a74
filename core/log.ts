/** What the controller, the host and engines tell whoever runs them. Never a key or a token, never a user's value. */

export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

const silence = (): void => {};

/** Says nothing: the default. */
export const silentLogger: Logger = { debug: silence, info: silence, warn: silence, error: silence };
