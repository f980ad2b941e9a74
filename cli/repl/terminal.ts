/** The console on a terminal, with Node's own line editing: history, multi-line input, completion. */
import { Console as NodeConsole } from 'node:console';
import repl, { type REPLServer } from 'node:repl';
import { Writable } from 'node:stream';
import { ranges } from '../ranges.ts';
import { Bars } from './bars.ts';
import { COMMANDS } from './commands.ts';
import { Completion } from './completion.ts';
import type { Console } from './console.ts';
import { withDirectWrites } from './direct-writes.ts';
import { historyFile, keepHistory } from './history.ts';
import { Keyboard } from './keyboard.ts';
import type { TerminalScreen, Typing } from './terminal-screen.ts';

const COMMAND_NAME = /^[a-z]+$/;

/** Resolves when its user leaves. */
export async function onTerminal(console: Console, screen: TerminalScreen, greeting: string): Promise<void> {
  const { interruption, local, started } = console;
  const bars = new Bars((lines) => screen.bars(lines));
  started.onStart = (result) => bars.follow(result);
  let completing = false;
  const keyboard = new Keyboard(process.stdin, {
    isBusy: () => console.isBusy || completing,
    interrupt: () => (console.isBusy || !server.line) && interruption.interrupt(),
  });
  // Code that does not wait is stopped by the signal, which there is only outside of the raw mode.
  local.around = (body) => {
    keyboard.setRawMode(false);
    try {
      return withDirectWrites([process.stdout, process.stderr], body);
    } finally {
      keyboard.setRawMode(true);
    }
  };
  const enter = (text: string, done: () => void): void => {
    void console.enter(text).then(() => {
      server.setPrompt(promptOf(console));
      done();
      keyboard.flow();
    });
  };
  const completion = new Completion(console);
  screen.show(greeting);
  const last = Object.getOwnPropertyDescriptor(globalThis, '_')!;
  const server = repl.start({
    input: keyboard as unknown as NodeJS.ReadableStream,
    output: process.stdout,
    terminal: true,
    useGlobal: true,
    useColors: screen.look.colours,
    ignoreUndefined: true,
    preview: false,
    prompt: promptOf(console),
    eval: (code, _context, _file, done) => {
      const text = code.replace(/\n$/, '');
      if (console.isUnfinished(text)) return done(new repl.Recoverable(new SyntaxError('Unfinished')), undefined);
      enter(text, () => done(null, undefined));
    },
    completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
      completing = true;
      void completion.of(line).then((found) => {
        completing = false;
        done(null, found);
        keyboard.flow();
      });
    },
  });
  Object.defineProperty(globalThis, '_', last); // the server has put its own there, and is told of no values
  drawPrompt(server, screen);
  defineCommands(server, (text) => enter(text, () => server.displayPrompt()));
  redirectConsole(screen);
  const onSignal = (): void => void interruption.interrupt();
  process.on('SIGINT', onSignal);
  const leave = (): void => server.close();
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, leave);
  // The terminal is gone: there is nobody to be told of it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', leave);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error) => console.tellFailure(error));
  const history = historyFile();
  if (history !== undefined) keepHistory(server, history, (why) => screen.tell(`No history is kept: ${why}`));
  await new Promise<void>((resolve) => server.once('exit', resolve));
  bars.close();
}

function promptOf({ targets, autopx }: Console): string {
  return `tutti${targets ? `[${ranges(targets, ',')}]` : ''}${autopx ? ' %' : ''}> `;
}

/** Tells the screen when there is a prompt, and how to draw it. */
function drawPrompt(server: REPLServer, screen: TerminalScreen): void {
  const display = server.displayPrompt.bind(server);
  const typing: Typing = {
    rows: () => server.getCursorPos().rows,
    draw() {
      // The rows that were drawn before are gone; it would go up by them.
      (server as unknown as { prevRows: number }).prevRows = 0;
      display(true);
    },
  };
  server.displayPrompt = (preserveCursor) => {
    display(preserveCursor);
    screen.prompted(typing);
  };
  server.prependListener('line', (line) => screen.entered(`${server.getPrompt()}${line}`));
  // Of Ctrl-C the server makes an end of the line, too.
  server.prependListener('SIGINT', () => screen.dropBars());
  screen.prompted(typing);
}

/** Node's server looks for commands itself, and would have its own for some of them. Its `.exit` is fine. */
function defineCommands(server: REPLServer, enter: (text: string) => void): void {
  for (const { name, help } of COMMANDS) {
    if (name === 'exit') continue;
    // A line with % may go on in the next one; to the server a command is always one line.
    const action = (rest: string): void =>
      name === 'px' ? void server.emit('line', `% ${rest}`) : enter(`.${name} ${rest}`);
    server.defineCommand(name, { help, action });
  }
  // What is no command it would refuse in words of its own; but in a statement that goes on, it goes on.
  const goesOn = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'bufferedCommand');
  const known = server.commands as Record<string, { help: string; action(rest: string): void }>;
  Object.defineProperty(server, 'commands', {
    value: new Proxy(known, {
      get(_, name) {
        if (typeof name !== 'string') return undefined;
        if (known[name] || !COMMAND_NAME.test(name) || goesOn === undefined) return known[name];
        if ((server as unknown as Record<symbol, string>)[goesOn]) return undefined;
        return { help: '', action: (rest: string) => enter(`.${name} ${rest}`) };
      },
    }),
  });
}

/** What code here prints, at any time, goes above the prompt. */
function redirectConsole(screen: TerminalScreen): void {
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      screen.write(text);
      done();
    },
  });
  globalThis.console = new NodeConsole({ stdout: stream, stderr: stream, colorMode: screen.look.colours });
}
