// The constants of the model in docs/distributed.md, measured between the processes that this is started with: how long a sum in place takes, as a
// training step makes it, by the numbers that are summed.   mpirun -n 2 node tools/distributed/measure.mjs
import { init } from 'nabla/distributed';

const world = await init();
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
for (const count of [1, 1e3, 1e4, 1e5, 1e6, 1e7]) {
  const out = new Uint8Array(new SharedArrayBuffer(4 * count));
  const job = { kind: 'allReduce', out, count, element: 'float32', combine: 'sum', label: `a sum of ${count}` };
  const turns = Math.max(5, Math.min(500, Math.floor(2e7 / count)));
  const times = [];
  for (let i = 0; i < turns; i++) {
    world.now({ kind: 'barrier', count: 0, element: 'byte', label: 'barrier' });
    const begun = performance.now();
    world.now(job);
    times.push(performance.now() - begun);
  }
  const milliseconds = median(times);
  const line = `${String(count).padStart(9)} numbers ${(1000 * milliseconds).toFixed(0).padStart(7)} µs, ${((4 * count) / milliseconds / 1e6).toFixed(2)} GB/s`;
  if (world.rank === 0) console.log(`${line}, ${world.worldSize} processes, ${world.transport.name}`);
}
