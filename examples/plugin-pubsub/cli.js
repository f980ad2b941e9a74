/** `tutti pubsub …`. `tools` are what tutti's own commands use. */
export function commands(tools, pubsub) {
  const topic = (yargs) => yargs.positional('topic', { type: 'string', describe: 'Its name' }).options(tools.options);
  return {
    command: 'pubsub',
    describe: 'Publish and subscribe by topic',
    builder: (yargs) =>
      yargs
        .command({
          command: 'publish <topic> <value>',
          describe: 'Publish a value, given as JSON',
          builder: (y) => topic(y).positional('value', { type: 'string', describe: 'JSON' }),
          handler: (args) =>
            tools.session(args, async (client) => {
              const subscribers = await client.use(pubsub).publish(args.topic, JSON.parse(args.value));
              if (args.json) tools.printJson({ subscribers });
              else console.log(`Published to ${subscribers} subscribers`);
            }),
        })
        .command({
          command: 'subscribe <topic>',
          describe: 'Print the last value and each new one, a line of JSON each',
          builder: (y) => topic(y).option('count', { type: 'number', describe: 'End after so many' }),
          handler: (args) =>
            tools.session(args, async (client, signal) => {
              let left = args.count ?? Number.POSITIVE_INFINITY;
              for await (const value of client.use(pubsub).subscribe(args.topic, { signal })) {
                console.log(JSON.stringify(value));
                if (--left <= 0) break;
              }
            }),
        })
        .command({
          command: 'topics',
          describe: 'List the topics',
          builder: (y) => y.options(tools.options),
          handler: (args) =>
            tools.session(args, async (client) => {
              const topics = await client.use(pubsub).topics();
              if (args.json) tools.printJson(topics);
              else
                for (const t of topics) console.log(`${t.name}: ${t.published} values, ${t.subscribers} subscribers`);
            }),
        })
        .demandCommand(1, 'publish, subscribe or topics?'),
    handler: () => {},
  };
}
