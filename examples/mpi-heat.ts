// Heat spreads over a plate, cut into blocks: each rank has one, and what borders it. Run: npx tutti mpi -n 4 --kind thread examples/mpi-heat.ts
import { type CartComm, type Comm, dimsCreate, PROC_NULL } from 'tutti/paradigms';

const SIZE = 48;
/** Hot along the upper edge, and in a spot. */
const start = (y: number, x: number): number => (y === 0 ? 100 : (y - 30) ** 2 + (x - 34) ** 2 < 20 ? 80 : 0);

/** Where part `i` of `n` begins. */
const edge = (i: number, n: number): number => Math.floor((SIZE * i) / n);

export default async function main(comm: Comm, steps = '300'): Promise<Float64Array | undefined> {
  const grid = (await comm.cart(dimsCreate(comm.size, 2))) as CartComm;
  const [row, column] = grid.coords as [number, number];
  const [rows, columns] = grid.dims as [number, number];
  const [top, left] = [edge(row, rows), edge(column, columns)];
  const [height, width] = [edge(row + 1, rows) - top, edge(column + 1, columns) - left];
  const wide = width + 2; // a border all around
  let now = Float64Array.from({ length: (height + 2) * wide }, (_, i) => {
    const [y, x] = [top + Math.floor(i / wide) - 1, left + (i % wide) - 1];
    return y < 0 || x < 0 || y >= SIZE || x >= SIZE ? 0 : start(y, x);
  });
  let next = now.slice();
  const line = (y: number): Float64Array => now.subarray(y * wide + 1, y * wide + 1 + width);
  const standing = (x: number): Float64Array =>
    Float64Array.from({ length: height }, (_, y) => now[(y + 1) * wide + x]!);
  const [north, south, west, east] = grid.neighbors as [number, number, number, number];
  for (let step = 0; step < Number(steps); step++) {
    await Promise.all([
      grid.sendrecvBuffer(line(1), north, line(height + 1), south, { sendTag: 1, recvTag: 1 }),
      grid.sendrecvBuffer(line(height), south, line(0), north, { sendTag: 2, recvTag: 2 }),
    ]);
    for (const [x, to, from, into] of [
      [1, west, east, width + 1],
      [width, east, west, 0],
    ] as const) {
      const came = await grid.sendrecv<Float64Array | null>(standing(x), to, from, {
        sendTag: into,
        recvTag: into ? width + 1 : 0,
      });
      if (from !== PROC_NULL) for (const [y, value] of came!.entries()) now[(y + 1) * wide + into] = value;
    }
    for (let y = 1; y <= height; y++)
      for (let i = y * wide + 1; i <= y * wide + width; i++)
        next[i] = top + y === 1 ? now[i]! : (now[i - 1]! + now[i + 1]! + now[i - wide]! + now[i + wide]!) / 4;
    [now, next] = [next, now];
  }
  const mine = { top, left, width, block: Array.from({ length: height }, (_, y) => line(y + 1).slice()) };
  const blocks = await comm.gather(mine);
  if (!blocks) return undefined;
  const plate = new Float64Array(SIZE * SIZE);
  for (const b of blocks) b.block.forEach((values, y) => void plate.set(values, (b.top + y) * SIZE + b.left));
  for (let y = 0; y < SIZE; y += 4)
    console.log(
      [...plate.subarray(y * SIZE, (y + 1) * SIZE)].map((t) => ' .:-=+*#%@'[Math.min(Math.floor(t / 4), 9)]).join(''),
    );
  return plate;
}

// Prints:
// [0] @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
// [0] -#@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@#-
// [0] .-=+#%%@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@%#+=-.
// [0]  .:--==++***######%%%%%%%%%%%%%%#####***++==-:.
// [0]   ..:::-----=========+++++++++++======----::..
// [0]     ......:::::::::::-------------:::::::....
// [0]           ...............:::::::::.:........
// [0]                  .........................
// [0]                        .................
// [0]                              . . . .
// [0]
// [0]
