/** `tutti space …`: tuples as JSON, for shell scripts that work together. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Client, type Command, type CommandTools, TimeoutError, UsageError } from '../../core/index.ts';
import { parseTemplate, parseTuple, printTuple } from './json.ts';
import type { SpaceOptions } from './paradigm.ts';
import type { SpaceInfo, TupleSpace } from './types.ts';

/** Nothing has matched: as `grep` has it. */
const NONE = 1;
/** Tuples that are put out together when they come from a file. */
const TOGETHER = 1_000;

type Use = (client: Client, options: SpaceOptions) => TupleSpace;
type Body = (space: TupleSpace, args: any, signal: AbortSignal) => Promise<void>;

export function spaceCommand(tools: CommandTools, use: Use): Command {
  const { name, json } = tools.options as Record<string, object>;
  const common = {
    name,
    json,
    space: { type: 'string', requiresArg: true, default: 'default', describe: "The space's name" },
  };
  const timeout = { type: 'number', requiresArg: true, describe: 'Give up after so many ms: exit code 1' };
  const exact = { type: 'boolean', describe: 'Records match only without further keys' };
  const line = (tuple: unknown): void => void process.stdout.write(`${printTuple(tuple)}\n`);

  const command = (
    usage: string,
    describe: string,
    options: object,
    body: Body,
    create?: (args: any) => SpaceOptions,
  ) => ({
    command: usage,
    describe,
    builder: (y: any) => y.options({ ...common, ...options }),
    handler: (args: any) =>
      // Of a cluster of its own nobody else could take anything.
      tools.session({ ...args, name: args.name ?? 'default' }, async (client, signal) => {
        const space = use(client, { name: args.space, ...(create ? create(args) : { create: false }) });
        await body(space, args, signal).catch((error) => {
          if (!(error instanceof TimeoutError)) throw error;
          process.stderr.write(`tutti: ${error.message}\n`);
          process.exitCode = NONE;
        });
      }),
  });

  const found =
    (kind: 'take' | 'read'): Body =>
    async (space, { template, all, follow, try: once, count, timeout, exact, json }, signal) => {
      const pattern = parseTemplate(template) as any;
      const match = { ...(exact && { exact }) };
      if (all) {
        const tuples = await space[kind === 'take' ? 'takeAll' : 'readAll'](pattern, {
          ...match,
          ...(count && { limit: count }),
        });
        if (json) tools.printJson(tuples.map((tuple: unknown) => JSON.parse(printTuple(tuple))));
        else for (const tuple of tuples) line(tuple);
        if (!tuples.length) process.exitCode = NONE;
        return;
      }
      if (follow) {
        let left = count ?? Number.POSITIVE_INFINITY;
        for await (const tuple of space.consume(pattern, {
          ...match,
          signal,
          ...(timeout !== undefined && { idle: timeout }),
        })) {
          line(tuple);
          if (--left <= 0) break;
        }
        return;
      }
      const tuple = once
        ? await space[kind === 'take' ? 'tryTake' : 'tryRead'](pattern, match)
        : await space[kind](pattern, { ...match, signal, ...(timeout !== undefined && { timeout }) });
      if (tuple === undefined) process.exitCode = NONE;
      else line(tuple);
    };
  const finding = {
    timeout,
    exact,
    try: { type: 'boolean', describe: 'Do not wait' },
    all: { type: 'boolean', describe: 'All that match now, a line each' },
    count: { type: 'number', describe: 'So many at most' },
  };

  const making = ({ order, durable, bound }: any): SpaceOptions => ({
    ...(order !== undefined && { order }),
    ...(durable !== undefined && { durable }),
    ...(bound !== undefined && { bound }),
  });
  const made = {
    order: { choices: ['fifo', 'lifo', 'random'], describe: 'Of a new space: which tuple of several' },
    durable: { type: 'boolean', describe: 'Of a new space: its tuples outlive the cluster' },
    bound: { type: 'number', describe: 'Of a new space: so many tuples at most' },
  };

  const commands = [
    command(
      'out [tuples..]',
      'Put tuples out, given as JSON, or on stdin a line each',
      {
        ...made,
        timeout,
        lease: { type: 'number', describe: 'They stay so many ms' },
        ack: { type: 'boolean', describe: 'Wait until somebody has seen them' },
      },
      async (space, { tuples = [], lease, ack, timeout, json }, signal) => {
        const options = { signal, ...(lease !== undefined && { lease }), ...(timeout !== undefined && { timeout }) };
        let count = 0;
        const put = async (list: unknown[]): Promise<void> => {
          if (ack) await Promise.all(list.map((tuple) => space.out(tuple, { ...options, ack: true })));
          else await space.outMany(list, options);
          count += list.length;
        };
        if (tuples.length) await put(tuples.map(String).map(parseTuple));
        else for await (const batch of tuplesIn(process.stdin)) await put(batch);
        if (json) tools.printJson({ out: count });
      },
      making,
    ),
    command(
      'take <template>',
      'Wait for a tuple, and take it',
      { ...finding, follow: { type: 'boolean', describe: 'One after the other, a line each' } },
      found('take'),
      making,
    ),
    command('read <template>', 'Wait for a tuple, and leave it there', finding, found('read'), making),
    command('count [template]', 'Count tuples', { exact }, async (space, { template, exact, json }) => {
      const count = await space.count(template === undefined ? undefined : (parseTemplate(template) as any), {
        ...(exact && { exact }),
      });
      if (json) tools.printJson({ count });
      else process.stdout.write(`${count}\n`);
    }),
    command(
      'watch [template]',
      'Print what happens to tuples, a line of JSON each',
      {
        exact,
        kinds: { type: 'string', array: true, choices: ['write', 'take', 'expire'], describe: 'Only these' },
        count: { type: 'number', describe: 'End after so many' },
      },
      async (space, { template, exact, kinds, count = Number.POSITIVE_INFINITY }, signal) => {
        const pattern = template === undefined ? undefined : parseTemplate(template);
        const events = space.watch(pattern as any, { ...(exact && { exact }), ...(kinds && { kinds }) });
        let left = count;
        await new Promise<void>((resolve, reject) => {
          const subscription = events.subscribe({
            next({ kind, tuple, missed }) {
              process.stdout.write(
                `{"kind":"${kind}",${missed ? `"missed":${missed},` : ''}"tuple":${printTuple(tuple)}}\n`,
              );
              if (--left <= 0) resolve();
            },
            error: reject,
            complete: resolve,
          });
          signal.addEventListener('abort', () => resolve(), { once: true });
          void Promise.resolve().then(() => left <= 0 && subscription.unsubscribe());
        });
      },
      making,
    ),
    command('list', 'List the spaces of the cluster', {}, async (space, { json }) => {
      const spaces = await space.list();
      if (json) tools.printJson(spaces.map(forJson));
      else for (const one of spaces) process.stdout.write(`${described(one)}\n`);
    }),
    command('export', 'Print all tuples, a line of JSON each', {}, async (space) => {
      for (const tuple of await space.readAll()) line(tuple);
    }),
    command(
      'import [file]',
      'Put out the tuples of a file (default: stdin), a line of JSON each',
      { ...made, timeout },
      async (space, { file, timeout, json }, signal) => {
        let count = 0;
        for await (const batch of tuplesIn(file === undefined ? process.stdin : createReadStream(file)))
          count += (await space.outMany(batch, { signal, ...(timeout !== undefined && { timeout }) })).length;
        if (json) tools.printJson({ imported: count });
        else process.stdout.write(`Imported ${count} tuples into space '${space.name}'\n`);
      },
      making,
    ),
    command('destroy', 'Remove a space with its tuples', {}, async (space) => space.destroy()),
  ];
  return {
    command: 'space',
    describe: 'Put tuples into a space, take, read and watch them',
    builder: (y: any) =>
      y.command(commands).demandCommand(1, `Which? ${commands.map((c) => c.command.split(' ')[0]).join(', ')}`),
    handler: () => {},
  };
}

/** A line each. What is wrong with one is told with its number. */
async function* tuplesIn(stream: NodeJS.ReadableStream): AsyncGenerator<unknown[]> {
  let batch: unknown[] = [];
  let number = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (!text.trim()) continue;
    try {
      batch.push(parseTuple(text));
    } catch (error) {
      throw new UsageError(`Line ${number}: ${(error as Error).message}`, { cause: error });
    }
    if (batch.length < TOGETHER) continue;
    yield batch;
    batch = [];
  }
  if (batch.length) yield batch;
}

/** JSON has no Infinity: there is no bound. */
function forJson({ bound, ...info }: SpaceInfo): object {
  return { ...info, bound: Number.isFinite(bound) ? bound : null };
}

function described({ name, order, durable, bound, tuples, taken, waiting }: SpaceInfo): string {
  const kinds = [order, ...(durable ? ['durable'] : []), ...(Number.isFinite(bound) ? [`at most ${bound}`] : [])];
  const there =
    tuples === undefined
      ? 'not used since the cluster has started'
      : `${tuples} tuples, ${taken} taken, ${waiting} waiting`;
  return `${name}: ${there} (${kinds.join(', ')})`;
}
