/** Commands about what runs: who has started what, what it looks like inside, and how it is stopped. */
import { UsageError } from '../../core/errors.ts';
import { cells } from '../display/cells.ts';
import { grouped } from '../display/grouped.ts';
import { pendingText } from '../display/pending.ts';
import type { Command } from './commands.ts';

export const taskCommands: Command[] = [
  {
    name: 'tasks',
    takes: '',
    help: 'What runs and waits on the engines, of all clients',
    async run(console) {
      const tasks = await console.ask(console.client.tasks());
      const rows = tasks.map(({ id, label, op, engine, state, ms, mine, client }) => [
        id,
        label ?? op,
        engine,
        state,
        `${(ms / 1000).toFixed(1)} s`,
        mine ? 'this console' : `client ${client}`,
      ]);
      const { colours } = console.screen.look;
      const header = ['id', 'what', 'engine', 'state', 'for', 'whose'];
      console.screen.show(rows.length ? cells(header, rows, colours).lines.join('\n') : 'Nothing runs');
    },
  },
  {
    name: 'peek',
    takes: 'expression',
    help: 'Read local variables of what runs on the engines, while it runs',
    async run(console, rest) {
      if (!rest) throw new UsageError('.peek takes an expression: .peek i');
      const { client } = console;
      // Where nothing runs there is nothing to be read; that says nothing of the others.
      const asked = console.view.targets.map(async (engine) => ({
        engine,
        value: await client.engine(engine).peek(rest),
      }));
      const answers = await console.ask(Promise.allSettled(asked));
      const values = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      const failed = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
      if (!values.length) throw failed[0]!;
      console.screen.show(grouped(values, console.screen.look));
    },
  },
  {
    name: 'send',
    takes: 'expression',
    help: 'Send a value to what runs on the engines: it comes out of task.poll() and task.inbox',
    async run(console, rest) {
      if (!rest) throw new UsageError('.send takes an expression: .send { stop: true }');
      const evaluated = console.local.run(`(${rest}\n)`);
      const message = 'promise' in evaluated ? await console.wait(evaluated.promise) : evaluated.value;
      const client = console.client;
      const tasks = await console.ask(client.tasks());
      const { targets } = console.view;
      // What has just begun may be said to wait; what runs comes first.
      const of = (engine: number) => tasks.filter((task) => task.engine === engine);
      const running = targets.flatMap((engine) => {
        const task = of(engine).find(({ state }) => state === 'running') ?? of(engine)[0];
        return task ? [{ id: task.id, engine }] : [];
      });
      if (!running.length) throw new UsageError('Nothing runs there that could take a message');
      await console.ask(Promise.all(running.map(({ id, engine }) => client.task(id).send(message, engine))));
    },
  },
  {
    name: 'interrupt',
    takes: '[task]',
    help: 'Stop what runs on the engines, or one task of .tasks; their variables stay',
    async run(console, rest) {
      const asked = rest ? console.client.task(rest).interrupt() : console.view.interrupt();
      const outcomes = await console.ask(asked);
      const parts = outcomes.map(({ engine, outcome }) => ({ engine, value: new Word(outcome) }));
      console.screen.show(grouped(parts, console.screen.look) || 'Nothing runs');
    },
  },
  {
    name: 'result',
    takes: '',
    help: 'The last result that was asked for: its values, or that it is pending',
    async run(console) {
      const { last } = console.started;
      if (!last) throw new UsageError('Nothing has been asked of the engines yet');
      if (last.status === 'pending' || last.status === 'running') console.screen.show(pendingText(last));
      else await console.showValues(last);
    },
  },
];

/** Shown without quotes. */
class Word {
  readonly word: string;
  constructor(word: string) {
    this.word = word;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.word;
  }
}
