/** `npm run chaos -- --seconds 120 --seed 7`: without a seed, another run each time. */
import { parseArgs } from 'node:util';
import { chaos } from './driver.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
console.log(`chaos: ${values.seconds} s with seed ${seed}`);
const { wrong, ...report } = await chaos({ seconds: Number(values.seconds), seed });
console.log(report);
for (const line of wrong.slice(0, 5)) console.error(line);
if (wrong.length) {
  console.error(
    `${wrong.length} things went wrong; again: npm run chaos -- --seconds ${values.seconds} --seed ${seed}`,
  );
  process.exitCode = 1;
}
