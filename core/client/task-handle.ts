/** A task of any client, by its id. */

import { type TaskInfo, UNREAD_MESSAGES } from '../conversation.ts';
import { LimitError, NotOnStackError, UsageError } from '../errors.ts';
import { encode } from '../wire/codec.ts';
import type { TaskHandle } from './client.ts';
import type { Link } from './link.ts';

export function taskHandle(link: Link, id: string): TaskHandle {
  const [client, call] = String(id).split('.').map(Number);
  if (!/^\d+\.\d+$/.test(id) || !call)
    throw new UsageError(`A task's id reads CLIENT.CALL, as client.tasks() tells it; got '${String(id).slice(0, 40)}'`);
  const task = { id: call };
  const engines = async (only?: number): Promise<number[]> => {
    const tasks: TaskInfo[] = await link.rpc.ask('tasks');
    const there = tasks.filter((info) => info.id === id && info.engine === (only ?? info.engine));
    if (there.length) return there.map((info) => info.engine);
    const where = only === undefined ? '' : ` on engine ${only}`;
    throw new NotOnStackError(`There is no task ${id} that runs or waits${where}`);
  };
  return {
    async interrupt(reason) {
      const targets = await engines();
      const results = await link.stop(task, targets, 'interrupt', reason, client);
      return results.map((outcome, i) => ({ engine: targets[i]!, outcome }));
    },
    async peek(expression) {
      return Promise.all((await engines()).map((engine) => link.peek(task, engine, expression, client)));
    },
    send(message, engine) {
      const payload = encode(message, { root: 'message' });
      const sent = engines(engine).then(async (targets) => {
        const answers = await Promise.all(targets.map((engine) => link.say(task, engine, payload, client)));
        if (answers.includes('full'))
          throw new LimitError(`Task ${id} has thousands of messages that it has not read`, {
            limit: 'messages',
            max: UNREAD_MESSAGES,
          });
      });
      sent.catch(() => {});
      return sent;
    },
  };
}
