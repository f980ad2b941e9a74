/**
 * What Views promise, whatever lies between the client and its engines. `open` gives the same client at each call; it has the
 * engines 0, 1 and 2, which are nobody else's.
 */
import type { Client } from 'tutti';
import { conversationSuite } from './support/views/conversation.ts';
import { dataSuite } from './support/views/data.ts';
import { errorSuite } from './support/views/errors.ts';
import { executeSuite } from './support/views/execute.ts';
import { functionSuite } from './support/views/functions.ts';
import { nameSuite } from './support/views/names.ts';
import { outputSuite } from './support/views/output.ts';
import { pendingSuite } from './support/views/pending.ts';
import { resultSuite } from './support/views/results.ts';
import { runSuite } from './support/views/run.ts';
import { turnSuite } from './support/views/turns.ts';

export type Test = (name: string, body: () => Promise<void>) => void;
/** A test of the suite: it finds empty namespaces. */
export type Check = (name: string, body: (client: Client) => Promise<void>) => void;

export function viewSuite(open: () => Promise<Client>, { test }: { test: Test }): void {
  const check: Check = (name, body) =>
    test(name, async () => {
      const client = await open();
      await client.all.interrupt('its test is over'); // one that has failed may have left something running
      await client.all.clear();
      await body(client);
    });
  executeSuite(check);
  functionSuite(check);
  dataSuite(check);
  nameSuite(check);
  runSuite(check);
  pendingSuite(check);
  resultSuite(check);
  errorSuite(check);
  outputSuite(check);
  turnSuite(check);
  conversationSuite(check);
}
