// Ordinary programs: data, optimisers, loops, the trainer, metrics and files. They compile under `strict` without a cast; types
// only, nothing here runs.

import { type AnyTensor, type Tensor, cat, compile, manualSeed, noGrad, rand, randint, stack, zeros } from 'nabla';
import {
  ArrayDataset,
  DataLoader,
  type Dataset,
  HostRandom,
  type Transform,
  Vocabulary,
  WeightedRandomSampler,
  collate,
  digits,
  iris,
  kFold,
  mnist,
  parseCsv,
  readCsv,
} from 'nabla/data';
import {
  compose,
  mixup,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  toFloat,
} from 'nabla/data/transforms';
import { loadSafetensors, saveSafetensors, toSafetensors } from 'nabla/io';
import { AUROC, Accuracy, ConfusionMatrix, F1, MeanAbsoluteError, MeanLoss, type Metric } from 'nabla/metrics';
import {
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
  type StateDict,
  bceWithLogits,
  crossEntropy,
  mseLoss,
} from 'nabla/nn';
import {
  Adam,
  AdamW,
  LRScheduler,
  type Optimizer,
  ReduceLROnPlateau,
  SGD,
  type Schedule,
  WeightAverage,
  clipGradNorm_,
  cosine,
  linear,
  oneCycle,
  sequence,
} from 'nabla/optim';
import { ConsoleLogger, Trainer, defineRun } from 'nabla/train';

declare const n: number;

class Net extends Module {
  readonly conv = new Conv2d(1, 8, 3, { padding: 1 });
  readonly drop = new Dropout(0.2);
  readonly head = new Linear(512, 10);
  forward(x: Tensor<[number, 1, 8, 8]>): Tensor<[number, 10]> {
    return this.head.forward(this.drop.forward(this.conv.forward(x).relu().flatten(1)));
  }
}

// ---------------------------------------------------------------- loops

export async function trained(model: Net, batches: AsyncIterable<{ x: Tensor; y: Tensor<number[], 'int32'> }>) {
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  for await (const { x, y } of batches) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
  }
}

export async function loop(): Promise<number> {
  manualSeed(0);
  const { train, validation } = digits().split({ train: 0.8, validation: 0.2 }, { stratify: 'y' });
  const model = new Net();
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2, weightDecay: 0.01 });
  const accuracy = new Accuracy();
  let best = 0;
  for (let epoch = 0; epoch < 5; epoch++) {
    model.train();
    for await (const { x, y } of new DataLoader(train, { batchSize: 64, shuffle: true, seed: epoch })) {
      optimizer.zeroGrad();
      crossEntropy(model.forward(x), y).backward();
      clipGradNorm_(model.parameters(), 1);
      await optimizer.step();
    }
    model.eval();
    accuracy.reset();
    for await (const { x, y } of new DataLoader(validation, { batchSize: 256 }))
      accuracy.update(
        noGrad(() => model.forward(x)),
        y,
      );
    best = Math.max(best, await accuracy.compute());
  }
  return best;
}

export async function regression(x: Tensor<[number, 3]>, y: Tensor<[number]>): Promise<number[]> {
  const w = new Parameter(zeros([3, 1]));
  const b = new Parameter(zeros([1]));
  const optimizer = new SGD([w, b], { lr: 0.1, momentum: 0.9 });
  const history: number[] = [];
  for (let i = 0; i < 100; i++) {
    optimizer.zeroGrad();
    const loss = mseLoss(x.matmul(w).add(b).squeeze(1), y);
    loss.backward();
    await optimizer.step();
    history.push(await loss.item());
  }
  return history;
}

export async function accumulated(model: Net, parts: readonly { x: Tensor; y: Tensor<[number], 'int32'> }[]) {
  const optimizer: Optimizer<{ lr: number }, unknown> | SGD = new SGD(model.parameters(), { lr: 0.1 });
  let last: Tensor<[]> | undefined;
  for (const { x, y } of parts) {
    last = crossEntropy(model.forward(x), y).div(parts.length);
    last.backward();
  }
  await optimizer.step();
  return last?.item();
}

export async function adversarial(
  generator: Sequential<[Linear<16, 64>]>,
  critic: Module & { forward(x: Tensor): Tensor },
) {
  const g = new Adam(generator.parameters(), { betas: [0.5, 0.999] });
  const real = rand([n, 64]);
  const fake = generator.forward(rand([n, 16]));
  const truth = cat([critic.forward(real), critic.forward(fake.detach())]);
  bceWithLogits(truth, cat([zeros(truth.shape), zeros(truth.shape)]).slice(0, 0, truth.shape[0])).backward();
  await g.step();
}

export function stepOf(model: Net, optimizer: Adam) {
  return compile(async (x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
}

/** A loop for any model and loss. */
export async function fit<X extends AnyTensor, Y extends AnyTensor>(
  model: Module & { forward(x: X): Tensor },
  loss: (output: Tensor, target: Y) => Tensor<[]>,
  batches: Iterable<readonly [X, Y]>,
): Promise<void> {
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  for (const [x, y] of batches) {
    optimizer.zeroGrad();
    loss(model.forward(x), y).backward();
    await optimizer.step();
  }
}
void fit(new Net(), crossEntropy, [[rand([2, 1, 8, 8]), randint(0, 10, [2])]]);
void fit(new Linear(4, 1), mseLoss, [[rand([2, 4]), rand([2, 1])]]);

// ---------------------------------------------------------------- optimisers and schedules

export function grouped(model: Net): AdamW {
  const decayed = model.parameters().filter((p) => p.rank > 1);
  const others = model.parameters().filter((p) => p.rank <= 1);
  const optimizer = new AdamW(
    [
      { params: decayed, weightDecay: 0.1 },
      { params: others, lr: 1e-4 },
    ],
    { lr: 1e-3 },
  );
  for (const group of optimizer.groups) group.lr *= 0.5;
  optimizer.addParamGroup({ params: [new Parameter(zeros([3]))] });
  return optimizer;
}
export function scheduled(optimizer: Adam, total: number): LRScheduler {
  const schedule: Schedule = sequence([(t) => linear(t, 10, 0, 1e-2), 10], (t) => cosine(t, total, 1e-2));
  const plateau = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 3 });
  plateau.step(0.5);
  return new LRScheduler(optimizer, total > 100 ? schedule : (t) => oneCycle(t, total, 1e-2));
}
export function optimizerOf(name: 'sgd' | 'adam', parameters: Iterable<Tensor>): SGD | Adam {
  return name === 'sgd' ? new SGD(parameters, { lr: 0.1 }) : new Adam(parameters);
}
export async function averaged(model: Net): Promise<void> {
  const average = new WeightAverage(model.parameters(), { decay: 0.99 });
  await average.update();
  await average.swap();
}

// ---------------------------------------------------------------- data

export const points = new ArrayDataset({
  x: { data: new Float32Array(24), shape: [3] },
  y: { data: new Int32Array(8), shape: [] },
});
export async function batches(): Promise<void> {
  for await (const { x, y } of new DataLoader(points, { batchSize: 4, dropLast: true })) {
    const logits: Tensor<[number, 2]> = new Linear(3, 2).forward(x);
    crossEntropy(logits, y).backward();
  }
}
export const squares: Dataset<{ x: number; y: number }> = { length: 10, get: (i) => ({ x: i, y: i * i }) };
export async function ownItems(): Promise<Tensor[]> {
  const out: Tensor[] = [];
  const loader = new DataLoader(squares, { batchSize: 2, collate: (items) => collate(items.map(({ y }) => y)) });
  for await (const batch of loader) out.push(batch.to('float32'));
  return out;
}
export function sampled(labels: readonly number[]) {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const weights = labels.map((label) => 1 / (counts.get(label) ?? 1));
  return new DataLoader(points, { batchSize: 4, sampler: new WeightedRandomSampler(weights, labels.length) });
}
export async function folds(): Promise<void> {
  for (const { train, validation } of kFold(iris().length, 5, { seed: 0 })) {
    const loader = new DataLoader(iris().subset(train), { batchSize: 16 });
    for await (const { x, y } of loader) crossEntropy(new Linear(4, 3).forward(x), y);
    console.log(validation.length);
  }
}
export const augmented = compose(randomCrop(8, { padding: 1 }), randomHorizontalFlip(), randomRotation(10), toFloat());
export async function pictures(): Promise<void> {
  const { train } = await mnist();
  const prepared = train.transformed('x', compose(toFloat(), normalize([0.13], [0.31])));
  for await (const { x, y } of new DataLoader(prepared, { batchSize: 32 })) {
    const mixed = mixup({ x, y }, new HostRandom(1), { classes: 10 });
    crossEntropy(new Linear(784, 10).forward(mixed.x.flatten(1)), mixed.y);
  }
}
export const brighter: Transform<{ data: Float32Array; shape: readonly number[] }> = ({ data, shape }, random) => {
  const by = random.between(-0.1, 0.1);
  return { data: data.map((v) => v + by), shape };
};
export async function columns(path: string): Promise<Tensor<[number, number]>> {
  const rows = parseCsv('a,b\n1,2');
  console.log(rows.length);
  const frame = await readCsv(path);
  return stack([rand([frame.length]), rand([frame.length])], 1);
}
export const words = (texts: readonly string[]) => Vocabulary.name + texts.length;

// ---------------------------------------------------------------- metrics, trainer, files

export async function measured(logits: Tensor<[number, 3]>, labels: Tensor<[number], 'int32'>): Promise<string> {
  const metrics: Record<string, Metric> = {
    accuracy: new Accuracy(),
    f1: new F1({ average: 'macro' }),
    loss: new MeanLoss(crossEntropy),
  };
  for (const metric of Object.values(metrics)) metric.update(logits, labels);
  const confusion = new ConfusionMatrix();
  confusion.update(logits.argmax(1), labels);
  const auroc = new AUROC();
  auroc.update(logits.softmax(1).slice(1, 1, 2).squeeze(1), labels.eq(1));
  const numbers: number[] = await Promise.all(Object.values(metrics).map((metric) => metric.compute()));
  return `${numbers.join()} ${await auroc.compute()} ${JSON.stringify(await confusion.compute())}`;
}

const { train, validation } = digits().split({ train: 0.8, validation: 0.2 });
const network = new Sequential(new Flatten(), new Linear(64, 32), new ReLU(), new Linear(32, 10));
export const trainer = new Trainer({
  model: network,
  optimizer: new AdamW(network.parameters(), { lr: 1e-2 }),
  train: new DataLoader(train, { batchSize: 64, shuffle: true }),
  validation: new DataLoader(validation, { batchSize: 256 }),
  loss: (output, target) => crossEntropy(output, target, { labelSmoothing: 0.1 }),
  metrics: { accuracy: new Accuracy() },
  schedule: (step, total) => oneCycle(step, total, 1e-2),
  earlyStopping: { monitor: 'accuracy', patience: 3 },
  callbacks: [{ onEpochStart: (_, epoch) => console.log(epoch) }],
  listeners: [new ConsoleLogger()],
  epochs: 6,
});
export async function fitted(): Promise<number | undefined> {
  const { history, test } = await trainer.fit();
  return test?.accuracy ?? history.at(-1)?.train.loss;
}
const net = new Net();
export const ownForward = new Trainer({
  model: net,
  optimizer: new SGD(net.parameters(), { lr: 0.1 }),
  train: new DataLoader(train, { batchSize: 8 }),
  forward: (model, { x, y }) => {
    const output = model.forward(x);
    return { loss: crossEntropy(output, y), output, target: y };
  },
  metrics: { error: new MeanAbsoluteError() },
  steps: 10,
});
export const run = defineRun({
  name: 'digits',
  title: 'Digits',
  settings: { lr: 1e-2, width: 32 },
  create({ lr, width }) {
    const model = new Sequential(new Flatten(), new Linear(64, width), new ReLU(), new Linear(width, 10));
    return { model, optimizer: new Adam(model.parameters(), { lr }), train: new DataLoader(train), epochs: 1 };
  },
});

export async function files(model: Net, path: string): Promise<Uint8Array> {
  const optimizer = new Adam(model.parameters());
  await saveSafetensors(path, model.stateDict(), { epoch: 3 });
  const { tensors, metadata } = await loadSafetensors(path);
  const { missing } = model.loadStateDict(tensors, { strict: false });
  optimizer.loadStateDict(optimizer.stateDict());
  console.log(metadata.epoch, missing);
  const part: StateDict = Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith('conv.')));
  return toSafetensors(part);
}
