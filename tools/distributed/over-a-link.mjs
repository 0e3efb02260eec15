// What namespaces.mjs starts: W3 on all processes, its losses with batch normalisation over all of them, and the time of a step beside the constants of
// the link. Process 0 prints a line of JSON. Alone it trains the whole batch.
import { hostname } from 'node:os';
import { compile, disposeDevices, tensor } from 'nabla';
import { DataParallel, convertSyncBatchNorm, init } from 'nabla/distributed';
import { WORKLOADS } from '../../bench/workloads.mjs';

const LOSSES = 20;
const SECONDS = 8;
const world = await init();
const { rank, worldSize } = world;
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];

async function stepOf({ isSynchronised, isAveraged = true }) {
  const { model, optimizer, x, y, batch, loss } = WORKLOADS.W3();
  if (isSynchronised) convertSyncBatchNorm(model, world);
  const parallel = isAveraged ? new DataParallel(model, world) : model;
  const share = batch / worldSize;
  const own = async (t) => {
    const part = t.slice(0, rank * share, (rank + 1) * share);
    return tensor(await part.data(), { shape: part.shape, dtype: part.dtype });
  };
  const [ownX, ownY] = [await own(x), await own(y)];
  const step = compile(async (input, target) => {
    optimizer.zeroGrad();
    const l = loss(parallel.forward(input), target);
    l.backward();
    if (isAveraged) await parallel.reduceGradients();
    await optimizer.step();
    return l;
  });
  return {
    run: async () => await (await step(ownX, ownY)).item(),
    bytes: model.parameters().reduce((n, p) => n + 4 * p.size, 0),
  };
}

async function secondsOf(run) {
  const times = [];
  const begun = performance.now();
  do {
    const start = performance.now();
    await run();
    times.push((performance.now() - start) / 1000);
  } while ((await world.allReduce(performance.now() - begun, 'max')) < 1000 * SECONDS || times.length < 10); // all go round as often
  return median(times.slice(times.length >> 1)); // the native tier compiles on the way
}

/** Seconds of a sum in place of so many numbers. */
function secondsOfSum(count) {
  const out = new Uint8Array(new SharedArrayBuffer(4 * count));
  const job = { kind: 'allReduce', out, count, element: 'float32', combine: 'sum', label: `a sum of ${count}` };
  const times = [];
  for (let i = 0; i < (count > 1e5 ? 9 : 100); i++) {
    world.now({ kind: 'barrier', count: 0, element: 'byte', label: 'barrier' });
    const begun = performance.now();
    world.now(job);
    times.push((performance.now() - begun) / 1000);
  }
  return median(times);
}

const { run } = await stepOf({ isSynchronised: true });
const losses = [];
for (let i = 0; i < LOSSES; i++) losses.push(await world.allReduce(await run(), 'mean'));
if (worldSize === 1) console.log(JSON.stringify({ losses }));
else {
  const hosts = await world.allGather(0).then(() => world.exchange(hostname()));
  // For two processes a sum of n bytes takes 2 α + n / β.
  const [small, large] = [secondsOfSum(1), secondsOfSum(1e6)];
  const { run: averaged, bytes } = await stepOf({});
  const compute = await secondsOf((await stepOf({ isAveraged: false })).run);
  const step = await secondsOf(averaged);
  if (rank === 0)
    console.log(JSON.stringify({ losses, hosts, alpha: small / 2, beta: 4e6 / (large - small), bytes, compute, step }));
}
await disposeDevices();
