// `npm start`: on a terminal the console, with four engines; elsewhere the example that reads all State of the Union speeches.
if (process.stdin.isTTY && process.stdout.isTTY) {
  console.log('Type, or begin with 233 speeches on the engines: .load examples/speeches.console');
  process.argv.push('repl', '-n', '4');
  await import('./dist/cli/main.js');
} else await import('./dist/examples/speeches.js');
