// `npm start`: on a terminal the console, with four engines; elsewhere the example that reads all State of the Union speeches.
const onTerminal = process.stdin.isTTY && process.stdout.isTTY;
if (onTerminal) {
  console.log('Type, or begin with 233 speeches on the engines: .load examples/speeches.console');
  process.argv.push('repl', '-n', '4');
}
const program = onTerminal ? 'dist/cli/main.js' : 'dist/examples/speeches.js';
await import(new URL(program, import.meta.url).href);
