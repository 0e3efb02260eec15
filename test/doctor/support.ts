// What the trainings for the doctor are made of: the loop with its possible mistakes, data, models.

import { type AnyTensor, type Tensor, manualSeed, noGrad } from '../../src/index.js';
import { ArrayDataset, DataLoader, HostRandom, digits } from '../../src/data/index.js';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  RNN,
  ReLU,
  Sequential,
  crossEntropy,
  init,
  mseLoss,
} from '../../src/nn/index.js';
import { Adam, type AdamW, SGD } from '../../src/optim/index.js';
import { type Diagnosis, type Probe, type RunEvent, type RunFacts, observe } from '../../src/train/index.js';

export type Batch = { readonly x: AnyTensor; readonly y: AnyTensor };
export type Data = ArrayDataset<{
  x: { data: Float32Array; shape: readonly number[] };
  y: { data: Int32Array | Float32Array; shape: readonly number[] };
}>;
/** Anything that maps a batch; shapes are checked at run time here. */
export interface Net extends Module {
  forward(x: AnyTensor): Tensor;
}
export type Optimizer = SGD | Adam | AdamW;

export interface Case {
  /** What was done. */
  readonly name: string;
  /** The code that has to come first; undefined for a healthy training. */
  readonly expected: string | undefined;
  /** Codes that may be named besides: they are true as well. */
  readonly also?: readonly string[];
  /** Another way to make the same mistake: measured with the others, but not run with every test. */
  readonly isExtra?: boolean;
  run(seed: number): Promise<RunEvent[]>;
}

/** The right name first, and nothing else that is not so. */
export function isRight({ expected, also = [] }: Case, diagnoses: readonly Diagnosis[]): boolean {
  const [first, ...others] = diagnoses.map(({ code }) => code);
  return first === expected && others.every((code) => also.includes(code));
}

// ---------------------------------------------------------------- the loop

export interface Loop {
  readonly model: Net;
  readonly optimizer: Optimizer;
  readonly data?: { readonly train: Data; readonly validation: Data };
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly loss?: (output: Tensor, target: AnyTensor) => AnyTensor;
  readonly facts?: RunFacts;
  /** What is done differently. */
  readonly zeroGrad?: boolean;
  readonly mode?: 'right' | 'always-train' | 'always-eval';
  readonly schedule?: (step: number) => number;
  readonly batches?: (loader: AsyncIterable<Batch>) => AsyncIterable<Batch>;
  readonly step?: boolean;
}

export async function loop(seed: number, options: Loop): Promise<RunEvent[]> {
  const { model, optimizer, epochs = 5, batchSize = 32, shuffle = true, mode = 'right', schedule } = options;
  const { train, validation } = options.data ?? digitsOf(seed);
  const loss = options.loss ?? ((output, target) => crossEntropy(output, target) as AnyTensor);
  const loader = new DataLoader(train, { batchSize, shuffle, dropLast: true, seed });
  const probe: Probe = observe(model, optimizer, {
    facts: {
      trainSamples: train.length,
      validationSamples: validation.length,
      stepsPerEpoch: loader.length,
      ...options.facts,
    },
  });
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (mode === 'right') model.train();
    if (mode === 'always-eval') model.eval();
    const batches = loader as AsyncIterable<Batch>;
    for await (const { x, y } of options.batches?.(batches) ?? batches) {
      if (schedule !== undefined) for (const group of optimizer.groups) group.lr = schedule(step);
      if (options.zeroGrad !== false) optimizer.zeroGrad();
      const value = loss(model.forward(x), y);
      if (value.size === 1 && !Number.isFinite(await (value.detach() as Tensor).item())) {
        probe.loss(value);
        (value as Tensor).backward();
        await optimizer.step();
        break;
      }
      probe.loss(value);
      (value as Tensor).backward();
      if (options.step !== false) await optimizer.step();
      step++;
    }
    if (mode === 'right') model.eval();
    for await (const { x, y } of new DataLoader(validation, { batchSize: 150 }) as AsyncIterable<Batch>) {
      noGrad(() => loss(model.forward(x), y));
    }
    await probe.epoch();
  }
  probe.close();
  return probe.events;
}

// ---------------------------------------------------------------- data

/** 640 digits to train on, 300 to validate; standardised. */
export function digitsOf(seed: number, size = 640): { train: Data; validation: Data } {
  const { train, validation } = digits().split({ train: size, validation: 300 }, { seed: seed + 1, stratify: 'y' });
  const scaled = (part: typeof train) => change(part as unknown as Data, { x: (v) => (v - 0.3) / 0.38 });
  return { train: scaled(train), validation: scaled(validation) };
}

export const shapeOf = (data: Data, field: 'x' | 'y'): readonly number[] => data.gather([0])[field].shape.slice(1);

export function change(
  data: Data,
  { x, y }: { x?: (v: number, i: number) => number; y?: (v: number, i: number) => number },
): Data {
  const xs = data.column('x') as Float32Array;
  const ys = data.column('y');
  return new ArrayDataset({
    x: { data: x ? xs.map(x) : xs, shape: shapeOf(data, 'x') },
    y: { data: y ? (ys.map(y) as Int32Array) : ys, shape: shapeOf(data, 'y') },
  });
}

export function both(parts: { train: Data; validation: Data }, f: (data: Data) => Data) {
  return { train: f(parts.train), validation: f(parts.validation) };
}

/** y = sin of a mixture of 6 inputs, with a little noise. */
export function waves(seed: number, scale = 1, noise = 0.05): { train: Data; validation: Data } {
  const random = new HostRandom(seed, 77);
  const make = (count: number): Data => {
    const x = Float32Array.from({ length: count * 6 }, () => random.normal());
    const y = Float32Array.from({ length: count }, (_, i) => {
      const [a, b, c] = x.subarray(6 * i, 6 * i + 3);
      return scale * (Math.sin(a + 0.5 * b) + 0.5 * c + noise * random.normal());
    });
    return new ArrayDataset({ x: { data: x, shape: [6] }, y: { data: y, shape: [1] } });
  };
  return { train: make(512), validation: make(200) };
}

/** Sequences of 12 numbers; the class says which of three frequencies they swing at. */
export function swings(seed: number): { train: Data; validation: Data } {
  const random = new HostRandom(seed, 78);
  const make = (count: number): Data => {
    const y = Int32Array.from({ length: count }, (_, i) => i % 3);
    const x = new Float32Array(count * 12);
    for (let i = 0; i < count; i++) {
      const phase = random.uniform() * 2 * Math.PI;
      for (let t = 0; t < 12; t++) x[12 * i + t] = Math.sin(phase + t * (0.5 + 0.8 * y[i])) + 0.1 * random.normal();
    }
    return new ArrayDataset({ x: { data: x, shape: [12, 1] }, y: { data: y, shape: [] } });
  };
  return { train: make(480), validation: make(150) };
}

/** Images as their own targets. */
export function themselves(seed: number): { train: Data; validation: Data } {
  return both(digitsOf(seed), (data) => {
    const x = data.column('x') as Float32Array;
    return new ArrayDataset({ x: { data: x, shape: [64] }, y: { data: x.slice(), shape: [64] } });
  });
}

// ---------------------------------------------------------------- models

export const net = (...layers: Module[]): Net => new Sequential(...(layers as [])) as unknown as Net;

export const mlp = (): Net =>
  net(new Flatten(), new Linear(64, 48), new ReLU(), new Linear(48, 24), new ReLU(), new Linear(24, 10));

export function deep(depth: number, activation: () => Module, width = 32): Net {
  const hidden = Array.from({ length: depth - 1 }, () => [new Linear(width, width), activation()]).flat();
  return net(new Flatten(), new Linear(64, width), activation(), ...hidden, new Linear(width, 10));
}

export const cnn = (): Net =>
  net(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(128, 10),
  );

export const dropoutNet = (p = 0.3): Net =>
  net(new Flatten(), new Linear(64, 64), new ReLU(), new Dropout(p), new Linear(64, 10));

/** The last output of an RNN, classified. */
export class SequenceNet extends Module {
  readonly rnn: RNN<number, number>;
  readonly head: Linear<number, number>;

  constructor(classes: number, nonlinearity: 'tanh' | 'relu' = 'tanh') {
    super();
    this.rnn = new RNN(1, 24, { batchFirst: true, nonlinearity });
    this.head = new Linear(24, classes);
  }

  forward(x: AnyTensor): Tensor {
    const [output] = this.rnn.forward(x as never) as unknown as [Tensor];
    const last = output.slice(1, -1).squeeze(1);
    return this.head.forward(last as never) as unknown as Tensor;
  }
}

/** One layer too many: `forward` does not use it. */
export class WithSpare extends Module {
  readonly body = mlp();
  readonly spare = new Linear(8, 8);

  forward(x: AnyTensor): Tensor {
    return this.body.forward(x);
  }
}

export const zeroBiases = (model: Net): void =>
  model
    .parameters()
    .filter((p) => p.rank === 1)
    .forEach((b) => init.zeros_(b as never));

export const forEachWeight = (model: Net, f: (w: Tensor, i: number) => void): Net => {
  model
    .parameters()
    .filter((p) => p.rank >= 2)
    .forEach((p, i) => f(p as unknown as Tensor, i));
  return model;
};

export const adam = (model: Net, lr = 3e-3): Adam => new Adam(model.parameters(), { lr });
export const sgd = (model: Net, lr: number, more = {}): SGD => new SGD(model.parameters(), { lr, ...more });

export function made(seed: number, create: () => Net): Net {
  manualSeed(seed);
  return create();
}

/** A training of `model` that is right but for what the options say. */
export const training =
  (create: () => Net, options: (model: Net, seed: number) => Partial<Loop> = () => ({})) =>
  (seed: number): Promise<RunEvent[]> => {
    const model = made(seed, create);
    return loop(seed, { model, optimizer: adam(model), ...options(model, seed) });
  };

export const mse = (output: Tensor, target: AnyTensor): AnyTensor => mseLoss(output, target) as AnyTensor;

/** Those that every test run does. */
export const main = (cases: readonly Case[]): readonly Case[] => cases.filter(({ isExtra }) => isExtra !== true);
