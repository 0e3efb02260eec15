// A Trainer alone and the same Trainer on all processes: their histories, tests and checkpoints. See distributed.test.ts.
//   node trainer.mjs FOLDER CASE,CASE
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { disposeDevices, manualSeed } from 'nabla';
import { ArrayDataset, DataLoader, DistributedSampler } from 'nabla/data';
import { ZeroRedundancyOptimizer, init } from 'nabla/distributed';
import { AUROC, Accuracy, F1 } from 'nabla/metrics';
import { Linear, Sequential, Tanh } from 'nabla/nn';
import { AdamW, SGD } from 'nabla/optim';
import { Trainer } from 'nabla/train';

const [, , folder, cases] = process.argv;
const world = await init();
const { rank, worldSize } = world;

const COUNT = 61; // the last batch has 1 sample: fewer than processes
const x = Float32Array.from({ length: COUNT * 6 }, (_, k) => Math.sin(1.7 * k));
const y = Int32Array.from({ length: COUNT }, (_, k) => Number(Math.sin(3.1 * k) > 0));
const data = new ArrayDataset({ x: { data: x, shape: [6] }, y: { data: y, shape: [] } });

function trainerOf({ together, zero, sampler, optimizer = 'adamw', ...more }) {
  manualSeed(3);
  const model = new Sequential(new Linear(6, 8), new Tanh(), new Linear(8, 2));
  const plain =
    optimizer === 'sgd'
      ? new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
      : new AdamW(model.parameters(), { lr: 0.02 });
  const own = together && zero ? new ZeroRedundancyOptimizer(plain, world) : plain;
  const loading = sampler
    ? { batchSize: 4, sampler: new DistributedSampler(data, { numReplicas: worldSize, rank, seed: 1 }) }
    : { batchSize: 12, shuffle: true };
  return new Trainer({
    model,
    optimizer: own,
    train: new DataLoader(data, { ...loading, seed: 5 }),
    validation: new DataLoader(data, { batchSize: 16, seed: 6 }),
    test: new DataLoader(data, { batchSize: 61, seed: 7 }),
    metrics: { accuracy: new Accuracy(), f1: new F1(), auroc: new AUROC() },
    epochs: 4,
    seed: 11,
    ...(together && { distributed: world }),
    ...more,
  });
}

const steps = [];
const listener = { onEvent: (event) => void (event.event === 'step' && steps.push(event.loss)) };
async function curve(options) {
  steps.length = 0;
  const result = await trainerOf({ ...options, listeners: [listener] }).fit();
  const { history, test, reason, step } = result;
  const losses = [...steps];
  return { losses, history: history.map(({ train, validation }) => ({ train, validation })), test, reason, step };
}

const CASES = {
  plain: {},
  zero: { zero: true, clipNorm: 0.5 },
  accumulate: { accumulate: 2, optimizer: 'sgd' },
  uncaptured: { compile: false, optimizer: 'sgd', epochs: 2 },
  'early stopping': { earlyStopping: { patience: 1, monitor: 'train.loss', mode: 'max' } },
  averages: { weightAverage: {}, epochs: 2, optimizer: 'sgd' },
};
for (const [name, options] of Object.entries(CASES)) {
  if (!cases.split(',').includes(name)) continue;
  const together = await curve({ ...options, together: true });
  const alone = await curve(options);
  if (rank === 0) console.log(JSON.stringify({ name, together, alone }));
}

// A run that is broken off, and taken up again, is that of one that is not, to the last bit.
const path = (name) => (mkdirSync(folder, { recursive: true }), join(folder, name));
const whole = trainerOf({ together: true, zero: true, folder: path('whole') });
const wholeResult = await whole.fit();
const first = trainerOf({
  together: true,
  zero: true,
  folder: path('parts'),
  checkpoint: { every: 2 },
  callbacks: [{ onStep: (t, { step }) => void (step === 9 && rank === worldSize - 1 && t.stop()) }],
});
const firstResult = await first.fit();
const second = trainerOf({ together: true, zero: true });
await second.resume(path('parts'));
const secondResult = await second.fit();
const numbers = async (t) => (await Promise.all(t.model.parameters().map((p) => p.data()))).flatMap((d) => [...d]);
const [a, b] = [await numbers(whole), await numbers(second)];
const isSame =
  a.every((v, i) => Object.is(v, b[i])) &&
  JSON.stringify(wholeResult.history.map((e) => e.train)) === JSON.stringify(secondResult.history.map((e) => e.train));
const all = await world.allReduce(Number(isSame), 'min');
// A checkpoint of several processes is one of a single process, too.
const single = trainerOf({});
let taken;
if (rank === 0) {
  await single.resume(path('whole'));
  taken = [single.epoch, single.step];
}
if (rank === 0)
  console.log(
    JSON.stringify({
      name: 'resumed',
      isSame: all === 1,
      stoppedAt: firstResult.step,
      reason: firstResult.reason,
      taken,
    }),
  );

const sampled = await trainerOf({ together: true, sampler: true, epochs: 1 }).fit();
if (rank === 0) console.log(JSON.stringify({ name: 'sampler', step: sampled.step }));

const errorOf = (body) =>
  Promise.resolve()
    .then(body)
    .then(
      () => 'no error',
      (error) => `${error.name}: ${error.message}`,
    );
const errors = {
  seed: await errorOf(() => trainerOf({ together: true, seed: rank }).fit()),
  rate: await errorOf(() => {
    const trainer = trainerOf({ together: true });
    trainer.optimizer.groups[0].lr = 0.1 + rank;
    return trainer.fit();
  }),
  folder: await errorOf(() => trainerOf({ together: true }).resume('nowhere/at/all')),
  metric: await errorOf(() =>
    trainerOf({
      together: true,
      metrics: { mine: { name: 'mine', better: 'higher', update() {}, compute: async () => 1, reset() {} } },
    }),
  ),
  world: await errorOf(() => trainerOf({ distributed: 3 })),
};
if (rank === 0) console.log(JSON.stringify({ name: 'errors', errors }));
await disposeDevices();
