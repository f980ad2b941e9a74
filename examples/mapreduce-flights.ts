// Which airports are late? 20,000 flights by origin, joined with the names of the airports.
import { cluster } from 'tutti';
import { csv, files, mapReduce } from 'tutti/paradigms';

interface Flight {
  origin: string;
  delay: number;
}

const data = 'node_modules/vega-datasets/data';
await using client = await cluster({ engines: 4 });
const { bag } = client.use(mapReduce);

const delays = bag(files(`${data}/flights-20k.json`))
  .flatMap(({ text }) => JSON.parse(text) as Flight[])
  .map(({ origin, delay }) => [origin, { flights: 1, delay }])
  .reduceByKey((a, b) => ({ flights: a.flights + b.flights, delay: a.delay + b.delay }))
  .filter(([, { flights }]) => flights >= 100)
  .mapValues(({ flights, delay }) => ({ flights, mean: delay / flights }));
const airports = bag(csv(`${data}/airports.csv`)).map(({ iata, name, state }) => [iata!, `${name}, ${state}`]);

const late = await delays.join(airports).topK(5, ([, [a]], [, [b]]) => a.mean - b.mean);
for (const [iata, [{ flights, mean }, name]] of late)
  console.log(`${iata} ${mean.toFixed(1).padStart(5)} min, ${String(flights).padStart(4)} flights: ${name}`);

// Prints:
//   JFK  16.2 min,  200 flights: John F Kennedy Intl, NY
//   SEA  13.3 min,  339 flights: Seattle-Tacoma Intl, WA
//   SMF  13.1 min,  121 flights: Sacramento International, CA
//   MIA  13.1 min,  294 flights: Miami International, FL
//   BOS  12.5 min,  369 flights: Gen Edw L Logan Intl, MA
