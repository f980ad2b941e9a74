// A page as a client. Run it in a clone, after `npm ci`: `node examples/browser/server.mjs`, and open the address it prints.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { cluster } from 'tutti';

const bundle = readFileSync(fileURLToPath(import.meta.resolve('tutti/browser')));
const page = readFileSync(new URL('page.html', import.meta.url));

const server = createServer(async ({ url }, response) => {
  const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
  if (url === '/') send('text/html; charset=utf-8', page);
  else if (url === '/tutti.js') send('text/javascript; charset=utf-8', bundle);
  // Whoever gets this can run any code on the engines: give it to people whom you have let in.
  else if (url === '/cluster') send('application/json', JSON.stringify({ urls, token }));
  else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const { connection } = await cluster({ engines: 4, listen: ['ws://127.0.0.1:0'], origins: [origin] });
const { urls, token } = connection;
console.log(`Open ${origin}/ in a browser; Ctrl-C ends it.`);
