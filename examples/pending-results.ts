// A result can be used before it is there, and moves from engine to engine, past this program.
import { cluster } from 'tutti';

await using client = await cluster({ engines: 3 });
const [left, right, third] = [0, 1, 2].map((id) => client.engine(id));

const before = client.traffic;
// Two matrices of 8 MB, made on two engines; a third one wants the trace of their product. Nothing is awaited until the end.
const rows = 1000;
const identity = left!.apply((n: number) => {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}, rows);
const ones = right!.apply((n: number) => new Float64Array(n * n).fill(1), rows);
const trace = third!.apply(
  ({ a, b }: { a: Float64Array; b: Float64Array }, n: number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) sum += a[i * n + k]! * b[k * n + i]!;
    return sum;
  },
  { a: identity, b: ones },
  rows,
);
console.log('trace of the product:', await trace);
console.log('16 MB moved, of which through this program less than 10 kB:', moved() < 10_000);

// The parts of a view go on where they are.
const parts = client.all.apply((n: number) => Array.from({ length: n }, (_, i) => i), 5);
console.log(await parts.pipe((part, factor: number) => part.map((x) => x * factor), 2).pipe((part) => part.join(' ')));

function moved(): number {
  const { sent, received } = client.traffic;
  return sent - before.sent + received - before.received;
}

// Prints:
//   trace of the product: 1000
//   16 MB moved, of which through this program less than 10 kB: true
//   [ '0 2 4 6 8', '0 2 4 6 8', '0 2 4 6 8' ]
