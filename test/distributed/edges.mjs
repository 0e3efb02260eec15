// Where there is next to nothing to share out: batches with fewer samples than processes, one parameter for all, no numbers at all; and a process that leaves
// the others to themselves. See edges.test.ts.
//   node edges.mjs          process 0 prints what came out
//   node edges.mjs leave    process 1 ends well after two updates of five
import { compile, disposeDevices, manualSeed, tensor, zeros } from 'nabla';
import { ArrayDataset, DataLoader } from 'nabla/data';
import { DataParallel, ZeroRedundancyOptimizer, convertSyncBatchNorm, init } from 'nabla/distributed';
import { BatchNorm1d, Linear, Module, Parameter, Sequential, Tanh } from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';
import { Trainer } from 'nabla/train';

const world = await init();
const { rank, worldSize } = world;
const say = (name, value) => rank === 0 && console.log(JSON.stringify({ name, value }));

if (process.argv[2] === 'leave') {
  const model = new DataParallel(new Linear(2, 2), world);
  for (let i = 0; i < 5; i++) {
    if (i === 2 && rank === 1) process.exit(0);
    model.zeroGrad();
    model
      .forward(tensor([[1, 2 + rank]]))
      .sum()
      .backward();
    await model.reduceGradients();
    say('gradients', (await model.parameters()[0].grad.array())[0]);
  }
}

/** A Trainer's losses. */
async function lossesOf(isTogether, { samples, batchSize, norm, ...more }) {
  manualSeed(3);
  const model = new Sequential(new Linear(6, 5), ...(norm ? [new BatchNorm1d(5)] : []), new Tanh(), new Linear(5, 2));
  if (norm && isTogether) convertSyncBatchNorm(model, world);
  const x = Float32Array.from({ length: samples * 6 }, (_, k) => Math.sin(1.7 * k));
  const y = Int32Array.from({ length: samples }, (_, k) => k % 2);
  const data = new ArrayDataset({ x: { data: x, shape: [6] }, y: { data: y, shape: [] } });
  const { history } = await new Trainer({
    model,
    optimizer: new SGD(model.parameters(), { lr: 0.1 }),
    train: new DataLoader(data, { batchSize, shuffle: true, seed: 5 }),
    validation: new DataLoader(data, { batchSize: 1, seed: 6 }),
    epochs: 3,
    seed: 11,
    ...(isTogether && { distributed: world }),
    ...more,
  }).fit();
  return history.flatMap(({ train, validation }) => [train.loss, validation.loss]);
}

// The last batch of an epoch has 2 samples, for 3 processes or more.
const CASES = {
  'one sample': { samples: 1, batchSize: 1 },
  'fewer samples than processes': { samples: worldSize - 1, batchSize: 64 },
  'batch normalisation': { samples: 2 * worldSize + 2, batchSize: 2 * worldSize, norm: true },
  'batch normalisation, uncaptured': {
    samples: 2 * worldSize + 2,
    batchSize: 2 * worldSize,
    norm: true,
    compile: false,
  },
  'batch normalisation, accumulated': {
    samples: 2 * worldSize + 2,
    batchSize: 2 * worldSize,
    norm: true,
    accumulate: 2,
  },
};
for (const [name, options] of Object.entries(CASES)) {
  const [together, alone] = [await lossesOf(true, options), await lossesOf(false, options)];
  say(name, Math.max(...together.map((loss, i) => Math.abs(loss - alone[i]))));
}

// Measures that are taken otherwise than over batches are those of process 0, on all of them.
const measured = new Linear(6, 2);
const { history } = await new Trainer({
  model: measured,
  optimizer: new SGD(measured.parameters(), { lr: 0.1 }),
  train: new DataLoader(
    new ArrayDataset({
      x: { data: new Float32Array(60), shape: [6] },
      y: { data: Int32Array.from({ length: 10 }, () => 1), shape: [] },
    }),
    { batchSize: 5, seed: 1 },
  ),
  validation: { measures: { score: 'higher' }, evaluate: async () => ({ score: rank === 0 ? NaN : rank }) },
  epochs: 2,
  seed: 1,
  distributed: world,
}).fit();
say('measures', await world.allReduce(history.filter(({ validation }) => Number.isNaN(validation.score)).length));

/** One parameter for all processes. */
class Scale extends Module {
  factor = new Parameter(tensor([1, 2]));
  forward(x) {
    return x.mul(this.factor);
  }
}
const parallel = new DataParallel(new Scale(), world);
const optimizer = new ZeroRedundancyOptimizer(new Adam(parallel.parameters(), { lr: 0.1 }), world);
for (let i = 0; i < 3; i++) {
  optimizer.zeroGrad();
  parallel
    .forward(tensor([1 + rank, 2]))
    .sum()
    .backward();
  await parallel.reduceGradients();
  await optimizer.step();
}
await optimizer.consolidateStateDict();
const state = Object.keys(optimizer.stateDict().tensors);
const factors = await world.allGather(parallel.parameters()[0].detach());
say('one parameter', { factors: await Promise.all(factors.map((t) => t.array())), state });

say('nothing', [
  await world.allReduce([]),
  (await world.allReduce(zeros([0, 3]))).shape,
  (await world.broadcast(zeros([0, 3]), worldSize - 1)).shape,
  await world.allGather([]),
  (await world.reduceScatter(zeros([0, 2]))).shape,
]);
// NaN of one process is that of all, whichever has it.
const extremes = [];
for (let r = 0; r < worldSize; r++) {
  const own = r === rank ? NaN : rank;
  for (const combination of ['min', 'max'])
    for (const value of [own, Float32Array.of(own)])
      extremes.push(...[await world.allReduce(value, combination)].flat());
}
const wrong = extremes.filter((value) => !Number.isNaN(value[0] ?? value)).length;
say('NaN', await world.allReduce(wrong));
// Gradients, bucket by bucket and in pieces, are the mean of what each process has by itself; captured or not, they can be read until the next
// averages are made, and not after.
{
  const shapes = [[301, 299], [7], [1], [299, 130], [130], [33]];
  const [NEVER, SOMEWHERE] = [2, 5];
  const weights = shapes.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b);
    return new Parameter(
      tensor(
        Float32Array.from({ length: size }, (_, k) => Math.sin(k + i)),
        { shape },
      ),
    );
  });
  class Weights extends Module {
    weights = weights;
    forward(scale, isUsed) {
      return weights
        .filter((_, i) => i !== NEVER && (i !== SOMEWHERE || isUsed))
        .map((w) => w.mul(w).mul(scale).sum())
        .reduce((a, b) => a.add(b));
    }
  }
  const found = [];
  for (const [bucketMegabytes, overlap, isCaptured] of [
    [25, true, true],
    [0.1, true, true],
    [0.1, false, true],
    [0.1, true, false],
  ]) {
    const model = new DataParallel(new Weights(), world, { bucketMegabytes, overlap });
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    const update = async (scale) => {
      optimizer.zeroGrad();
      model.forward(scale, rank > 0).backward();
      await model.reduceGradients();
      await optimizer.step();
    };
    const step = isCaptured ? compile(update) : update;
    let furthest = 0;
    let [held, stale] = [undefined, 0];
    for (let i = 1; i < 5; i++) {
      await step(tensor(i * (rank + 1)));
      const usedBy = (k) => Array.from({ length: worldSize }, (_, r) => (k === SOMEWHERE && r === 0 ? 0 : i * (r + 1)));
      for (const [k, w] of weights.entries()) {
        if (k === NEVER || (k === 0 && i % 2 === 1)) continue;
        const factor = (2 * usedBy(k).reduce((a, b) => a + b)) / worldSize;
        const [g, values] = [await w.grad.data(), await w.data()];
        g.forEach((v, n) => (furthest = Math.max(furthest, Math.abs(v - factor * values[n]))));
      }
      try {
        await held?.data();
      } catch (error) {
        stale += Number(error.name === 'StaleTensorError');
      }
      held = i % 2 === 1 ? weights[0].grad : undefined;
    }
    found.push([furthest < 1e-5, weights[NEVER].grad === undefined, stale]);
  }
  const all = world.exchange(found);
  say('gradients', all);
}
await disposeDevices();
