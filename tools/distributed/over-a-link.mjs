// What namespaces.mjs starts: W3 on all processes, its losses with batch normalisation over all of them, and the time of a step beside the constants of
// the link. Process 0 prints a line of JSON. Alone it trains the whole batch.
//   LINK_SECONDS is how long steps are measured for
import { hostname } from 'node:os';
import { compile, disposeDevices, tensor } from 'nabla';
import { DataParallel, convertSyncBatchNorm, init } from 'nabla/distributed';
import { WORKLOADS } from '../../bench/workloads.mjs';

const LOSSES = 12;
/** Steps that are timed together. */
const STEPS = 3;
/** W3 has 0.57 MB of gradients. */
const SMALL = 0.2;
const world = await init();
const { rank, worldSize } = world;
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];

/** A step of W3 on this process's share; `options` are those of DataParallel, or null where gradients are not averaged. */
async function stepOf(options, isSynchronised = false) {
  const { model, optimizer, x, y, batch, loss } = WORKLOADS.W3();
  if (isSynchronised) convertSyncBatchNorm(model, world);
  const parallel = options === null ? model : new DataParallel(model, world, options);
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
    if (options !== null) await parallel.reduceGradients();
    await optimizer.step();
    return l;
  });
  return {
    run: async () => await (await step(ownX, ownY)).item(),
    bytes: model.parameters().reduce((n, p) => n + 4 * p.size, 0),
  };
}

/** Seconds of a step of each, step by step in turn: what else the machine does meets all of them. */
async function secondsOf(steps) {
  const times = Object.fromEntries(Object.keys(steps).map((name) => [name, []]));
  for (const { run } of Object.values(steps)) for (let i = 0; i < 3; i++) await run();
  const begun = performance.now();
  const most = 1000 * Number(process.env.LINK_SECONDS ?? 30);
  do {
    for (const [name, { run }] of Object.entries(steps)) {
      await world.barrier();
      const start = performance.now();
      for (let i = 0; i < STEPS; i++) await run();
      times[name].push((performance.now() - start) / 1000 / STEPS);
    }
  } while ((await world.allReduce(performance.now() - begun, 'max')) < most); // all go round as often
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

/** Seconds of a sum in place of so many numbers, one after the other: a barrier lets one process go earlier than the other. */
function secondsOfSum(count) {
  const out = new Uint8Array(new SharedArrayBuffer(4 * count));
  const job = {
    kind: 'allReduce',
    out,
    count,
    element: 'float32',
    combine: 'sum',
    label: `a sum of ${count}`,
  };
  const sums = count > 1e4 ? 4 : 40;
  const times = [];
  for (let i = 0; i < 5; i++) {
    world.now({ kind: 'barrier', count: 0, element: 'byte', label: 'barrier' });
    const begun = performance.now();
    for (let k = 0; k < sums; k++) world.now(job);
    times.push((performance.now() - begun) / 1000 / sums);
  }
  return median(times);
}

const { run } = await stepOf({}, true);
const losses = [];
for (let i = 0; i < LOSSES; i++) losses.push(await world.allReduce(await run(), 'mean'));
if (worldSize === 1) console.log(JSON.stringify({ losses }));
else {
  const hosts = world.exchange(hostname());
  // For two processes a sum of n bytes takes 2 α + n / β.
  const [small, large] = [secondsOfSum(1), secondsOfSum(2e5)];
  const steps = {
    compute: await stepOf(null),
    step: await stepOf({}),
    overlapping: await stepOf({ bucketMegabytes: SMALL }),
    inBuckets: await stepOf({ bucketMegabytes: SMALL, overlap: false }),
  };
  const { bytes } = steps.step;
  const seconds = await secondsOf(steps);
  if (rank === 0)
    console.log(
      JSON.stringify({
        losses,
        hosts,
        alpha: small / 2,
        beta: 8e5 / (large - small),
        bytes,
        ...seconds,
      }),
    );
}
await disposeDevices();
