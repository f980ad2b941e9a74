/**
 * The names of a console that runs in this process. Its variables are properties of the global, not of a scope, and yet a function
 * that was typed there means them, as it would mean the variables around it in a file.
 */
let owns: ((name: string) => boolean) | undefined;

/** From now on functions capture those globals of which `test` says that they are the user's. */
export function captureConsoleNames(test: (name: string) => boolean): void {
  owns = test;
}

export function isConsoleName(name: string): boolean {
  return owns?.(name) ?? false;
}

/** May a name that is found nowhere now mean something at the next call? */
export function hasConsole(): boolean {
  return owns !== undefined;
}
