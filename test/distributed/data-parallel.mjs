// One model, trained by this process alone on whole batches and by all processes on their shares: losses of both, and whether all copies are
// equal at the end. The argument is a list of cases. See distributed.test.ts.
import { compile, disposeDevices, manualSeed, tensor } from 'nabla';
import { DataParallel, ZeroRedundancyOptimizer, convertSyncBatchNorm, init } from 'nabla/distributed';
import { BatchNorm2d, Conv2d, Flatten, Linear, Module, ReLU, Sequential, Tanh, crossEntropy } from 'nabla/nn';
import { Adadelta, Adagrad, Adam, AdamW, Adamax, NAdam, RAdam, RMSprop, SGD, clipGradNorm_ } from 'nabla/optim';

const world = await init();
const { rank, worldSize } = world;
const BATCH = 12;
const OPTIMIZERS = { Adadelta, Adagrad, Adam, AdamW, Adamax, NAdam, RAdam, RMSprop, SGD };
const RATES = { SGD: { lr: 0.05, momentum: 0.9 }, Adagrad: { lr: 0.02 } };

/** One part is never used, one in some steps only. */
class Branches extends Module {
  body = new Linear(64, 8);
  always = new Linear(8, 3);
  never = new Linear(8, 3);
  sometimes = new Linear(8, 3);
  isUsed = false;
  forward(x) {
    const h = this.body.forward(x.flatten(1)).tanh();
    const y = this.always.forward(h);
    return this.isUsed ? y.add(this.sometimes.forward(h)) : y;
  }
}

function modelOf(kind) {
  if (kind === 'branches') return new Branches();
  if (kind !== 'norm') return new Sequential(new Flatten(), new Linear(64, 16), new Tanh(), new Linear(16, 3));
  const block = (from) => [new Conv2d(from, 4, 3, { bias: false }), new BatchNorm2d(4), new ReLU()];
  return new Sequential(...block(1), ...block(4), new Flatten(), new Linear(64, 3));
}

async function train(
  isParallel,
  { kind, optimizer: name = 'SGD', steps = 50, captured, zero, clip, accumulate = 1, bucket },
) {
  manualSeed(1);
  const own = modelOf(kind);
  if (isParallel && kind === 'norm') convertSyncBatchNorm(own, world);
  const model = isParallel ? new DataParallel(own, world, bucket ? { bucketMegabytes: bucket } : {}) : own;
  const plain = new OPTIMIZERS[name](model.parameters(), RATES[name] ?? { lr: 0.005 });
  const optimizer = isParallel && zero ? new ZeroRedundancyOptimizer(plain, world) : plain;
  const update = async (...batches) => {
    optimizer.zeroGrad();
    const losses = [];
    for (let i = 0; i < batches.length; i += 2) {
      const loss = crossEntropy(model.forward(batches[i]), batches[i + 1]);
      loss.div(accumulate).backward();
      losses.push(loss.detach().keep());
    }
    if (isParallel) await model.reduceGradients();
    if (clip) clipGradNorm_(model.parameters(), clip);
    await optimizer.step();
    return losses;
  };
  const step = captured ? compile(update) : update;
  const share = isParallel ? BATCH / worldSize : BATCH;
  const from = isParallel ? rank * share : 0;
  const losses = [];
  for (let i = 0; i < steps; i++) {
    // What only one process uses is used: the others count as zero.
    if (kind === 'branches') own.isUsed = i % 3 === 1 && (!isParallel || rank === 0);
    const batches = [];
    for (let a = 0; a < accumulate; a++) {
      const x = Float32Array.from({ length: BATCH * 64 }, (_, k) => Math.sin(1.7 * k + 13.1 * i + a));
      const y = Int32Array.from({ length: BATCH }, (_, k) => (k + i) % 3);
      const shape = [share, 1, 8, 8];
      batches.push(tensor(x.slice(64 * from, 64 * (from + share)), { shape }), tensor(y.slice(from, from + share)));
    }
    let sum = 0;
    for (const loss of await step(...batches)) sum += await loss.item();
    losses.push(isParallel ? await world.allReduce(sum / accumulate, 'mean') : sum / accumulate);
  }
  const weights = await Promise.all([...model.parameters(), ...model.buffers()].map((t) => t.data()));
  const state = Object.keys(optimizer.stateDict().tensors).length;
  return { losses, weights: weights.map((w) => [...w]), keys: Object.keys(model.stateDict()).join(), state };
}

for (const one of JSON.parse(process.argv[2])) {
  const alone = one.kind === 'branches' ? undefined : await train(false, one);
  const together = await train(true, one);
  const sums = together.weights.map((w) => w.reduce((sum, v, i) => sum + v * Math.sin(i + 1), 0));
  const all = await world.allGather(sums);
  if (rank !== 0) continue;
  const difference = alone && Math.max(...alone.losses.map((loss, i) => Math.abs(loss - together.losses[i])));
  const areEqual = all.every((other) => other.every((v, i) => Object.is(v, all[0][i])));
  const { losses, keys, state } = together;
  const isSameKeys = alone === undefined || alone.keys === keys;
  console.log(
    JSON.stringify({
      case: one,
      first: losses[0],
      last: losses.at(-1),
      difference,
      areEqual,
      isSameKeys,
      state,
      wholeState: alone?.state,
    }),
  );
}

const errorOf = async (body) => {
  try {
    await body();
    return 'no error';
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
if (process.argv[3] === 'errors') {
  const errors = {
    shapes: await errorOf(() => new DataParallel(new Linear(2, 3 + rank), world)),
    names: await errorOf(
      () => new DataParallel(rank === 0 ? new Linear(2, 2) : new Sequential(new Linear(2, 2)), world),
    ),
    frozen: await errorOf(() => new DataParallel(new Linear(2, 2).requiresGrad_(false), world)),
    world: await errorOf(() => new DataParallel(new Linear(2, 2), { rank: 0 })),
    module: await errorOf(() => new DataParallel([1], world)),
    bucket: await errorOf(() => new DataParallel(new Linear(2, 2), world, { bucketMegabytes: 0 })),
    norm: await errorOf(() => convertSyncBatchNorm(new Linear(2, 2), world)),
    optimizer: await errorOf(() => new ZeroRedundancyOptimizer({}, world)),
    forgotten: await errorOf(async () => {
      const model = new DataParallel(new Linear(2, 2), world);
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      model
        .forward(tensor([[1, 2]]))
        .sum()
        .backward();
      await optimizer.step();
    }),
    underWay: await errorOf(async () => {
      const model = new DataParallel(new Linear(2, 2), world);
      model
        .forward(tensor([[1, 2]]))
        .sum()
        .backward();
      const waiting = world.allReduce(1);
      try {
        await model.reduceGradients();
      } finally {
        await waiting;
      }
    }),
  };
  if (rank === 0) console.log(JSON.stringify({ errors }));
}
await disposeDevices();
